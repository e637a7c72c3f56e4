import type { QueryView } from '@millrace/contracts';
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Moment } from '../../parts/moment.tsx';
import { engineLabels, layoutLabels, phaseLabels } from '../../parts/names.ts';
import { StateBadge } from '../../parts/state-badge.tsx';
import { bytesText, countText, durationText, usdText } from '../../parts/units.ts';
import { isFinal, type RunState } from './query-run.ts';

/** State, time and cost of the run. */
export function RunStatus({ view, estimate }: Pick<RunState, 'view' | 'estimate'>): JSX.Element {
  const { statistics, cached, stale } = view;
  return (
    <div class="row small" role="status" aria-label="State of the query">
      <StateBadge state={view.state} />
      <span>{engineLabels[view.engine]}</span>
      {isFinal(view) ? null : <Progress view={view} estimate={estimate} />}
      {statistics === undefined ? null : (
        <>
          <span>{countText(statistics.rows)} rows</span>
          <span>
            {durationText(statistics.queuedMs)} queued, {durationText(statistics.executionMs)} running
          </span>
          <span title={`${countText(statistics.bytesScanned)} bytes`}>{bytesText(statistics.bytesScanned)} read</span>
          {statistics.usd === undefined ? null : <span>{usdText(statistics.usd)} billed</span>}
          {estimate === undefined || cached !== undefined ? null : (
            <span class="muted">
              estimated {bytesText(estimate.bytesScanned)}
              {estimate.usd === undefined ? '' : `, ${usdText(estimate.usd)}`}
            </span>
          )}
          {statistics.layout === undefined ? null : <span class="muted">{layoutLabels[statistics.layout]}</span>}
        </>
      )}
      {cached === undefined ? null : (
        <span class="badge" title="The result is exact: no event has landed since that could change it.">
          from the cache, data as of <Moment at={cached.at} />
        </span>
      )}
      {stale === undefined ? null : (
        <span class="badge warn">
          last good result, of <Moment at={stale.asOf} />
        </span>
      )}
    </div>
  );
}

/** Phase, place in the queue, bytes and time of a query that has not ended. */
function Progress({ view, estimate }: Pick<RunState, 'view' | 'estimate'>): JSX.Element {
  const { queuePosition, bytesScanned, phase = 'waiting' } = view.progress ?? {};
  return (
    <>
      <span>
        {phaseLabels[phase]}
        {queuePosition === undefined
          ? ''
          : queuePosition === 1
            ? ', the next in the queue'
            : `, number ${countText(queuePosition)} in the queue`}
      </span>
      {bytesScanned === undefined ? null : (
        <span title={`${countText(bytesScanned)} bytes`}>
          {bytesText(bytesScanned)} read{estimate === undefined ? '' : ` of ${bytesText(estimate.bytesScanned)} estimated`}
        </span>
      )}
      <Elapsed view={view} />
    </>
  );
}

/** The time of a query. A screen reader does not announce each change. */
function Elapsed({ view: { submittedAt, startedAt } }: { readonly view: QueryView }): JSX.Element {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 100);
    return () => clearInterval(timer);
  }, []);
  const since = Math.max(0, now - Date.parse(startedAt ?? submittedAt));
  return (
    <span role="timer" aria-live="off">
      for {durationText(since)}
    </span>
  );
}
