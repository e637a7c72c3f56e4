import type { RejectList } from '@millrace/contracts';
import type { JSX } from 'preact';
import { Moment } from '../../parts/moment.tsx';
import { ScrollTable } from '../../parts/scroll-table.tsx';
import { countText, durationText } from '../../parts/units.ts';

const columns = [{ heading: 'Reason' }, { heading: 'Rejects', isNumber: true }, { heading: 'Oldest' }, { heading: 'Newest' }];
const reasonCharactersMax = 600;

export interface RejectReasonsProps {
  readonly list: RejectList;
  /** The reason that is shown alone; empty for all. */
  readonly chosen: string;
  readonly onChoose: (reason: string) => void;
}

/** The rejects by reason and by time. */
export function RejectReasons({ list, chosen, onChoose }: RejectReasonsProps): JSX.Element {
  const { reasons, filesRead, filesTotal } = list;
  return (
    <section class="card" aria-label="Reasons">
      <h2>By reason and time</h2>
      <TimeBars list={list} />
      {filesRead < filesTotal ? (
        <p class="muted small">
          Counts cover the newest {countText(filesRead)} of {countText(filesTotal)} reject files.
        </p>
      ) : null}
      <ScrollTable label="Rejects by reason" columns={columns}>
        {reasons.map(({ reason, count, oldestAt, newestAt }) => (
          <tr key={reason} aria-current={reason === chosen ? 'true' : undefined}>
            <td class="wide">
              <button type="button" class="link" aria-pressed={reason === chosen} onClick={() => onChoose(reason === chosen ? '' : reason)}>
                <bdi>{reason.slice(0, reasonCharactersMax)}</bdi>
              </button>
            </td>
            <td class="number">{countText(count)}</td>
            <td>
              <Moment at={oldestAt} />
            </td>
            <td>
              <Moment at={newestAt} />
            </td>
          </tr>
        ))}
      </ScrollTable>
    </section>
  );
}

const [width, height, gap] = [600, 64, 1];

/** Rejects by time as bars. The table below shows the same in numbers. */
function TimeBars({ list: { buckets, bucketSeconds } }: Pick<RejectReasonsProps, 'list'>): JSX.Element | null {
  const [first, last] = [buckets[0], buckets.at(-1)];
  if (first === undefined || last === undefined) return null;
  const step = bucketSeconds * 1000;
  const begin = Date.parse(first.at);
  const steps = (Date.parse(last.at) - begin) / step + 1;
  const most = Math.max(...buckets.map(({ count }) => count));
  const total = buckets.reduce((sum, { count }) => sum + count, 0);
  const bar = width / steps;
  return (
    <figure class="bars">
      <svg
        viewBox={`0 0 ${width} ${height}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${countText(total)} rejects in ${countText(steps)} steps of ${durationText(step)}, ${countText(most)} in the largest`}
      >
        {buckets.map(({ at, count }) => {
          const tall = Math.max(2, (count / most) * height);
          const x = ((Date.parse(at) - begin) / step) * bar;
          return (
            <rect key={at} x={x} y={height - tall} width={Math.max(1, bar - gap)} height={tall}>
              <title>{`${countText(count)} from ${new Date(at).toLocaleString()}`}</title>
            </rect>
          );
        })}
      </svg>
      <figcaption class="row small muted">
        <Moment at={first.at} />
        <span>
          one bar is {durationText(step)}, at most {countText(most)}
        </span>
        <Moment at={new Date(Date.parse(last.at) + step).toISOString()} />
      </figcaption>
    </figure>
  );
}
