import type { RejectList } from '@millrace/contracts';
import type { JSX } from 'preact';
import { Moment } from '../../parts/moment.tsx';
import { ScrollTable } from '../../parts/scroll-table.tsx';
import { bytesText, countText } from '../../parts/units.ts';

type Listed = RejectList['rejects'][number];

const columns = [
  { heading: 'Chosen' },
  { heading: 'Taken by Kafka' },
  { heading: 'Place', isNumber: true },
  { heading: 'Reason' },
  { heading: 'Size', isNumber: true },
  { heading: 'Record' },
];

/** Identifies a reject within its topic. */
export function keyOf({ partition, offset }: Pick<Listed, 'partition' | 'offset'>): string {
  return `${partition}/${offset}`;
}

export interface RejectTableProps {
  readonly rejects: readonly Listed[];
  readonly chosen: ReadonlySet<string>;
  readonly onChoose: (keys: ReadonlySet<string>) => void;
  readonly onShow: (reject: Listed) => void;
}

/** Rejects, the newest first, each of which can be shown and chosen for a redrive. */
export function RejectTable({ rejects, chosen, onChoose, onShow }: RejectTableProps): JSX.Element {
  const toggle = (key: string): void => {
    const next = new Set(chosen);
    if (!next.delete(key)) next.add(key);
    onChoose(next);
  };
  return (
    <ScrollTable label="Rejects" columns={columns}>
      {rejects.map((reject) => {
        const key = keyOf(reject);
        return (
          <tr key={key}>
            <td>
              <input
                type="checkbox"
                checked={chosen.has(key)}
                onChange={() => toggle(key)}
                aria-label={`Choose partition ${reject.partition}, offset ${reject.offset}`}
              />
            </td>
            <td>
              <Moment at={reject.at} />
            </td>
            <td class="number" title={`Partition ${reject.partition}, offset ${countText(reject.offset)}`}>
              {reject.partition} / {countText(reject.offset)}
            </td>
            <td class="wide">
              <span class="clamp foreign">{reject.reason.slice(0, 600)}</span>
            </td>
            <td class="number" title={`${countText(reject.bytes)} bytes`}>
              {bytesText(reject.bytes)}
            </td>
            <td>
              <button
                type="button"
                onClick={() => onShow(reject)}
                aria-label={`Show partition ${reject.partition}, offset ${reject.offset}`}
              >
                Show
              </button>
            </td>
          </tr>
        );
      })}
    </ScrollTable>
  );
}
