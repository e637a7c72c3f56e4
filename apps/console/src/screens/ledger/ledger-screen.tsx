import type { LedgerTimeline, StreamDetails } from '@millrace/contracts';
import { useRoute } from 'preact-iso';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { sendForJson } from '../../api/request.ts';
import { pathTo } from '../../app/paths.ts';
import { LiveHeading } from '../../parts/live-heading.tsx';
import { Moment } from '../../parts/moment.tsx';
import { usePolled } from '../../parts/polled.ts';
import { ProblemNote } from '../../parts/problem-note.tsx';
import { countText, durationText } from '../../parts/units.ts';
import { useUrlState } from '../../parts/use-url-state.ts';
import { AuditCard } from './audit-card.tsx';
import { Entries } from './entries.tsx';
import { CompactionRow, LaneRow } from './lane-row.tsx';
import { boundsOf, moved, spans, zoomed, type TimeWindow } from './time-window.ts';

const everyMs = 5000;
/** While entries are left to read, the next answer reads some more of them. */
const readingEveryMs = 300;
const steps = 120;
const standardSpanMs = 86_400_000;

/** `/console/ledger`: the ledger of a table as a timeline, and its audit. */
export function LedgerScreen(): JSX.Element {
  const item = useRoute().params['item'];
  const streams = usePolled(async (signal) => (await sendForJson<StreamDetails>('/v1/streams', { signal })).streams, undefined);
  const table = item ?? streams.data?.[0]?.table;
  const others = streams.data?.filter((stream) => stream.table !== table) ?? [];
  return (
    <div class="screen">
      {others.length === 0 ? null : (
        <p class="row small">
          Other tables:
          {others.map((stream) => (
            <a key={stream.table} href={`${pathTo('ledger')}/${stream.table}`}>
              {stream.table}
            </a>
          ))}
        </p>
      )}
      {item === undefined ? <ProblemNote error={streams.error} /> : null}
      {table === undefined ? null : <Timeline key={table} table={table} />}
    </div>
  );
}

function Timeline({ table }: { readonly table: string }): JSX.Element {
  const [isPaused, setPaused] = useState(false);
  const [span, setSpan] = useUrlState('span', String(standardSpanMs));
  const [to, setTo] = useUrlState('to', '');
  const [isReading, setReading] = useState(false);
  const shown = windowOf(span, to);
  const show = ({ spanMs, toMs }: TimeWindow): void => {
    setSpan(String(spanMs));
    setTo(toMs === undefined ? '' : new Date(toMs).toISOString());
  };
  const { data, error } = usePolled(
    async (signal) => {
      const { fromMs, toMs } = boundsOf(shown, Date.now());
      const query = new URLSearchParams({ from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString(), steps: String(steps) });
      const timeline = await sendForJson<LedgerTimeline>(`/v1/tables/${encodeURIComponent(table)}/ledger?${query.toString()}`, { signal });
      setReading(timeline.unread > 0);
      return timeline;
    },
    isPaused ? undefined : isReading ? readingEveryMs : everyMs,
    `${span} ${to}`,
  );
  const zoomTo = (share: number): void => {
    if (data === undefined) return;
    const [begin, end] = [Date.parse(data.from), Date.parse(data.to)];
    show(zoomed(shown, 'in', begin + share * (end - begin), Date.now()));
  };
  const middle = (): number => boundsOf(shown, Date.now()).toMs - shown.spanMs / 2;
  return (
    <div class="screen">
      <LiveHeading
        title={
          <>
            Ledger of <bdi>{table}</bdi>
          </>
        }
        isPaused={isPaused}
        onPause={setPaused}
        everyMs={everyMs}
        isLost={error !== undefined}
      />
      <div class="row">
        <div class="segments wide" role="group" aria-label="Time span up to now">
          {spans.map(({ ms, label }) => (
            <button key={ms} type="button" aria-pressed={shown.spanMs === ms} onClick={() => show({ spanMs: ms })}>
              {label}
            </button>
          ))}
        </div>
        <button type="button" onClick={() => show(moved(shown, 'earlier', Date.now()))}>
          Earlier
        </button>
        <button type="button" disabled={shown.toMs === undefined} onClick={() => show(moved(shown, 'later', Date.now()))}>
          Later
        </button>
        <button type="button" disabled={shown.spanMs <= spans[0].ms} onClick={() => show(zoomed(shown, 'in', middle(), Date.now()))}>
          Zoom in
        </button>
        <button type="button" disabled={shown.spanMs >= spans.at(-1)!.ms} onClick={() => show(zoomed(shown, 'out', middle(), Date.now()))}>
          Zoom out
        </button>
      </div>
      <ProblemNote error={error} />
      {data === undefined && error === undefined ? <p role="status">Reading the ledger…</p> : null}
      {data === undefined ? null : (
        <>
          <Sums timeline={data} />
          <Lanes timeline={data} onZoom={zoomTo} />
          <Gaps gaps={data.gaps} />
          <Entries timeline={data} />
        </>
      )}
      <AuditCard table={table} />
    </div>
  );
}

function windowOf(span: string, to: string): TimeWindow {
  const spanMs = spans.find(({ ms }) => String(ms) === span)?.ms ?? standardSpanMs;
  const toMs = Date.parse(to);
  return Number.isNaN(toMs) ? { spanMs } : { spanMs, toMs };
}

const sums = [
  ['Rows', 'rows'],
  ['Rejected', 'rejected'],
  ['Duplicates', 'dropped'],
  ['In gaps', 'gap'],
] as const;

function Sums({ timeline: { lanes, entries, compactions } }: { readonly timeline: LedgerTimeline }): JSX.Element {
  const all = lanes.flatMap((lane) => lane.steps);
  return (
    <dl class="facts">
      <Fact title="Entries" value={entries} />
      {sums.map(([title, field]) => (
        <Fact key={field} title={title} value={all.reduce((sum, step) => sum + step[field], 0)} />
      ))}
      <Fact title="Compactions" value={compactions.length} />
    </dl>
  );
}

function Fact({ title, value }: { readonly title: string; readonly value: number }): JSX.Element {
  return (
    <div>
      <dt>{title}</dt>
      <dd>{countText(value)}</dd>
    </div>
  );
}

function Lanes({ timeline, onZoom }: { readonly timeline: LedgerTimeline; readonly onZoom: (share: number) => void }): JSX.Element {
  const { lanes, from, to, listedFrom, stepMs, unread } = timeline;
  const most = Math.max(1, ...lanes.flatMap((lane) => lane.steps.map(({ offsets }) => offsets)));
  return (
    <section class="card" aria-label="Lanes">
      <div class="row small">
        <span class="key rows">rows</span>
        <span class="key rejects">rejects</span>
        <span class="key gap">gap</span>
        <span class="key unread">not read yet</span>
        <span class="muted" role="status">
          {unread === 0 ? `One bar is ${durationText(stepMs)}. Click to zoom in.` : `${countText(unread)} entries are left to read…`}
        </span>
      </div>
      {listedFrom === from ? null : (
        <p class="note warn">
          Entries before <Moment at={listedFrom} /> are not listed yet. Each reading lists 12,000 more of a lane, 45,000 at most.
        </p>
      )}
      <ol class="lanes" aria-label="Lanes of the topic">
        {lanes.map((lane) => (
          <LaneRow key={lane.partition} lane={lane} steps={steps} most={most} onZoom={onZoom} />
        ))}
        <CompactionRow timeline={timeline} onZoom={onZoom} />
      </ol>
      <div class="row small muted axis">
        <Moment at={from} />
        <Moment at={to} />
      </div>
    </section>
  );
}

function Gaps({ gaps }: { readonly gaps: LedgerTimeline['gaps'] }): JSX.Element | null {
  if (gaps.length === 0) return null;
  return (
    <ul class="screen" aria-label="Gaps">
      {gaps.map(({ partition, from, to, at, reason }) => (
        <li key={`${partition}/${from}`} class="note warn">
          <p>
            <strong>
              Gap in partition {partition}: offsets {countText(from)}–{countText(to)}
            </strong>
            , recorded on <Moment at={at} />
          </p>
          <p class="foreign">{reason ?? 'The log no longer had these offsets.'}</p>
        </li>
      ))}
    </ul>
  );
}
