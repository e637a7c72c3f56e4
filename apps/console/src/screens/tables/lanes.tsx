import type { TableDetail } from '@millrace/contracts';
import type { JSX } from 'preact';
import { Moment } from '../../parts/moment.tsx';
import { ScrollTable } from '../../parts/scroll-table.tsx';
import { countText, durationText } from '../../parts/units.ts';

const columns = [
  ...['Partition', 'Landed up to offset', 'Rows'].map((heading) => ({ heading, isNumber: true })),
  { heading: 'Newest event' },
  { heading: 'Newest batch' },
];

/** How fresh each partition of the topic is in the table. */
export function Lanes({ lanes }: Pick<TableDetail, 'lanes'>): JSX.Element {
  return (
    <section class="card" aria-label="Freshness">
      <h2>Freshness by partition of the topic</h2>
      {lanes.length === 0 ? (
        <p class="muted">Nothing has landed yet. Post a purchase; its row follows within the flush interval.</p>
      ) : (
        <ScrollTable label="Freshness by partition" columns={columns}>
          {lanes.map(({ partition, offset, rows, newestEventAt, recordedAt }) => (
            <tr key={partition}>
              <td class="number">{partition}</td>
              <td class="number">{countText(offset)}</td>
              <td class="number">{countText(rows)}</td>
              <td>{newestEventAt === undefined ? '–' : <Moment at={newestEventAt} />}</td>
              <td>{recordedAt === undefined ? '–' : `${durationText(Math.max(0, Date.now() - Date.parse(recordedAt)))} ago`}</td>
            </tr>
          ))}
        </ScrollTable>
      )}
    </section>
  );
}
