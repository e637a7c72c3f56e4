import type { LedgerTimeline } from '@millrace/contracts';
import type { JSX } from 'preact';
import { countText } from '../../parts/units.ts';

type Lane = LedgerTimeline['lanes'][number];
type Step = Lane['steps'][number];

const height = 100;
/** Smallest height at which a bar can be seen. */
const shownMin = 8;

export interface LaneRowProps {
  readonly lane: Lane;
  /** Number of steps of the time range. */
  readonly steps: number;
  /** Maximum number of offsets in one step of any lane: the lanes share a scale. */
  readonly most: number;
  /** Called with the middle of a step, as a share of the range. */
  readonly onZoom: (share: number) => void;
}

/** One lane as bars over time: rows from the bottom, rejects in red below them, gaps over the whole height. */
export function LaneRow({ lane, steps, most, onZoom }: LaneRowProps): JSX.Element {
  const { partition, to, isLanded, steps: filled } = lane;
  const sum = (field: 'entries' | 'offsets' | 'rejected' | 'gap'): number => filled.reduce((total, step) => total + step[field], 0);
  const text = [
    `Partition ${partition}: ${countText(sum('entries'))} entries over ${countText(sum('offsets'))} offsets`,
    ...(sum('rejected') > 0 ? [`${countText(sum('rejected'))} rejected`] : []),
    ...(sum('gap') > 0 ? [`${countText(sum('gap'))} in gaps`] : []),
  ].join(', ');
  const zoom = (event: MouseEvent & { readonly currentTarget: SVGSVGElement }): void => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    onZoom((event.clientX - left) / width);
  };
  return (
    <li class="lane">
      <span class="small">
        <strong>{partition}</strong> <span class="muted">to {countText(to)}</span>{' '}
        {isLanded ? null : <span class="badge warn">not landed yet</span>}
      </span>
      <svg viewBox={`0 0 ${steps} ${height}`} preserveAspectRatio="none" role="img" aria-label={text} onClick={zoom}>
        {filled.map((step) => (
          <StepBars key={step.step} step={step} most={most} />
        ))}
      </svg>
    </li>
  );
}

function StepBars({ step, most }: { readonly step: Step; readonly most: number }): JSX.Element {
  const { step: x, entries, offsets, rows, rejected, gap, unread } = step;
  // The square root of the value, so that a small batch is visible beside a large one.
  const tall = (count: number): number => (count === 0 ? 0 : Math.max(shownMin, Math.sqrt(count / most) * height));
  const whole = tall(offsets);
  const red = rejected === 0 ? 0 : Math.max(shownMin, (rejected / offsets) * whole);
  return (
    <g>
      <title>
        {`${countText(entries)} entries, ${countText(offsets)} offsets: ${countText(rows)} rows, ${countText(rejected)} rejected, ${countText(gap)} in gaps`}
      </title>
      <rect class="touch" x={x} y={0} width={1} height={height} />
      {gap > 0 ? <rect class="gap" x={x} y={0} width={1} height={height} /> : null}
      <rect class={unread > 0 ? 'unread' : 'rows'} x={x + 0.05} y={height - whole} width={0.9} height={whole} />
      {red === 0 ? null : <rect class="rejects" x={x + 0.05} y={height - red} width={0.9} height={red} />}
    </g>
  );
}

export interface CompactionRowProps {
  readonly timeline: LedgerTimeline;
  readonly onZoom: (share: number) => void;
}

/** Compactions of the Iceberg table over time. */
export function CompactionRow({ timeline: { compactions, from, to }, onZoom }: CompactionRowProps): JSX.Element {
  const [begin, end] = [Date.parse(from), Date.parse(to)];
  return (
    <li class="lane">
      <span class="small">
        <strong>Compactions</strong> <span class="muted">{countText(compactions.length)}</span>
      </span>
      <svg
        viewBox="0 0 1000 100"
        preserveAspectRatio="none"
        role="img"
        aria-label={`${countText(compactions.length)} compactions of the Iceberg table`}
        onClick={(event) => {
          const { left, width } = event.currentTarget.getBoundingClientRect();
          onZoom((event.clientX - left) / width);
        }}
      >
        {compactions.map(({ commit, at, filesBefore, filesAfter }) => (
          <rect key={commit} class="compaction" x={((Date.parse(at) - begin) / (end - begin)) * 1000 - 2} y={15} width={4} height={70}>
            <title>{`Commit ${countText(commit)}: ${countText(filesBefore)} files became ${countText(filesAfter)}`}</title>
          </rect>
        ))}
      </svg>
    </li>
  );
}
