import type { TableList } from '@millrace/contracts';
import type { JSX } from 'preact';
import { pathTo } from '../../app/paths.ts';

export interface CatalogPanelProps {
  readonly tables: TableList['tables'];
  readonly onOpen: (sql: string) => void;
}

/** Tables and columns that a statement may read. */
export function CatalogPanel({ tables, onOpen }: CatalogPanelProps): JSX.Element {
  if (tables.length === 0) return <p role="status">Loading the tables…</p>;
  return (
    <>
      {tables.map(({ name, columns }) => (
        <section key={name} class="screen" aria-label={`Table ${name}`}>
          <div class="row">
            <h2>
              <a href={`${pathTo('tables')}/${name}`}>{name}</a>
            </h2>
            <button type="button" class="plain" onClick={() => onOpen(`SELECT *\nFROM ${name}\nLIMIT 100`)}>
              First rows
            </button>
          </div>
          <ul class="list" tabIndex={0} aria-label={`Columns of ${name}`}>
            {columns.map((column) => (
              <li key={column.name} class="row small" title={column.description}>
                <code>{column.name}</code>
                <span class="muted">{column.type}</span>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </>
  );
}
