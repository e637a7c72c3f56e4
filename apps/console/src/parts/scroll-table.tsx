import type { ComponentChildren, JSX } from 'preact';

/** A column by its heading. Numbers are set to the right. */
export interface TableColumn {
  readonly heading: string;
  readonly isNumber?: boolean;
}

export interface ScrollTableProps {
  /** Describes the table for screen readers. */
  readonly label: string;
  readonly columns: readonly TableColumn[];
  /** The rows. */
  readonly children: ComponentChildren;
}

/** A table that scrolls sideways on a narrow page. */
export function ScrollTable({ label, columns, children }: ScrollTableProps): JSX.Element {
  return (
    <div class="table-scroll" tabIndex={0} role="region" aria-label={label}>
      <table>
        <thead>
          <tr>
            {columns.map(({ heading, isNumber = false }) => (
              <th key={heading} scope="col" class={isNumber ? 'number' : undefined}>
                {heading}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}
