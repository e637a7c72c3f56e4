import type { TableDetail } from '@millrace/contracts';
import type { JSX } from 'preact';
import { ScrollTable } from '../../parts/scroll-table.tsx';
import { bytesText, countText } from '../../parts/units.ts';

/** The days of a table, the newest first. */
export function Partitions({ table: { partitions, partitionCount, partitionKey } }: { readonly table: TableDetail }): JSX.Element {
  const columns = [
    { heading: partitionKey },
    { heading: 'Share of the largest day' },
    ...['Rows', 'Files', 'Size'].map((heading) => ({ heading, isNumber: true })),
    { heading: 'In the catalog' },
  ];
  const most = Math.max(1, ...partitions.map(({ rows }) => rows));
  return (
    <section class="card" aria-label="Days">
      <h2>Days</h2>
      {partitions.length === 0 ? (
        <p class="muted">The table has no day yet.</p>
      ) : (
        <ScrollTable label="Days of the table" columns={columns}>
          {partitions.map(({ value, rows, files, bytes, isRegistered }) => (
            <tr key={value}>
              <td>{value}</td>
              <td>
                <meter class="bar" min={0} max={most} value={rows} aria-label={`Rows of ${value}`} />
              </td>
              <td class="number">{countText(rows)}</td>
              <td class="number">{countText(files)}</td>
              <td class="number">{bytesText(bytes)}</td>
              <td>{isRegistered ? 'yes' : <span class="badge warn">not yet: engines do not read it</span>}</td>
            </tr>
          ))}
        </ScrollTable>
      )}
      {partitionCount > partitions.length ? (
        <p class="muted">
          The newest {countText(partitions.length)} of {countText(partitionCount)} days.
        </p>
      ) : null}
    </section>
  );
}
