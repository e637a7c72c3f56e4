import type { TableDetail } from '@millrace/contracts';
import type { JSX } from 'preact';
import { bytesText, countText } from '../../parts/units.ts';

/** The days of a table, the newest first. */
export function Partitions({ table: { partitions, partitionCount, partitionKey } }: { readonly table: TableDetail }): JSX.Element {
  const most = Math.max(1, ...partitions.map(({ rows }) => rows));
  return (
    <section class="card" aria-label="Days">
      <h2>Days</h2>
      {partitions.length === 0 ? (
        <p class="muted">The table has no day yet.</p>
      ) : (
        <div class="table-scroll" tabIndex={0} role="region" aria-label="Days of the table">
          <table>
            <thead>
              <tr>
                <th scope="col">{partitionKey}</th>
                <th scope="col">Share of the largest day</th>
                <th scope="col" class="number">
                  Rows
                </th>
                <th scope="col" class="number">
                  Files
                </th>
                <th scope="col" class="number">
                  Size
                </th>
                <th scope="col">In the catalog</th>
              </tr>
            </thead>
            <tbody>
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
            </tbody>
          </table>
        </div>
      )}
      {partitionCount > partitions.length ? (
        <p class="muted">
          The newest {countText(partitions.length)} of {countText(partitionCount)} days.
        </p>
      ) : null}
    </section>
  );
}
