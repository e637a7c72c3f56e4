import type { AuditEvent, AuditReport } from '@millrace/contracts';
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError } from '../../api/errors.ts';
import { sendForEvents } from '../../api/request.ts';
import { Moment } from '../../parts/moment.tsx';
import { ProblemNote } from '../../parts/problem-note.tsx';
import { ScrollTable } from '../../parts/scroll-table.tsx';
import { countText, durationText } from '../../parts/units.ts';

const verdicts: Readonly<Record<AuditReport['verdict'], readonly [tone: string, text: string]>> = {
  complete: ['good', 'Complete: every offset is accounted for, and every file exists.'],
  losses: ['warn', 'Everything adds up, and known events are lost to the table.'],
  faulty: ['bad', 'Something does not add up.'],
};
const columns = ['Partition', 'Spanned', 'Rows', 'Rejected', 'Duplicates', 'No record', 'Lost', 'In gaps', 'Files'].map((heading) => ({
  heading,
  isNumber: true,
}));

/** Audits the table when the user asks, and shows the verdict. */
export function AuditCard({ table }: { readonly table: string }): JSX.Element {
  const [event, setEvent] = useState<AuditEvent>();
  const [failure, setFailure] = useState<unknown>();
  const [isRunning, setRunning] = useState(false);
  const stop = useRef(new AbortController());
  useEffect(() => () => stop.current.abort(), []);
  const run = async (): Promise<void> => {
    stop.current = new AbortController();
    const { signal } = stop.current;
    setRunning(true);
    setFailure(undefined);
    setEvent(undefined);
    try {
      for await (const next of sendForEvents<AuditEvent>(`/v1/tables/${encodeURIComponent(table)}/audit`, { method: 'POST', signal })) {
        setEvent(next);
        if (next.state === 'failed') setFailure(new ApiError(next.problem.detail ?? next.problem.title, next.problem));
      }
    } catch (error) {
      if (!signal.aborted) setFailure(error);
    }
    setRunning(false);
  };
  return (
    <section class="card" aria-label="Audit">
      <div class="row">
        <h2>Audit</h2>
        <button type="button" class="primary" disabled={isRunning} onClick={() => void run()}>
          Audit now
        </button>
        <button type="button" class="danger" disabled={!isRunning} onClick={() => stop.current.abort()}>
          Stop
        </button>
        <span role="status" class="muted small">
          {isRunning ? `Running: ${event?.state === 'running' ? event.detail : 'starting'}` : ''}
        </span>
      </div>
      {event === undefined && failure === undefined && !isRunning ? (
        <p class="muted">The audit reads the objects themselves and proves that the table has every event, or names what is missing.</p>
      ) : null}
      <ProblemNote error={failure} />
      {event?.state === 'done' ? <Report report={event.report} /> : null}
    </section>
  );
}

function Report({ report }: { readonly report: AuditReport }): JSX.Element {
  const { verdict, at, tookMs, lanes, faults, faultCount, losses, lostOffsets, projection } = report;
  const [tone, text] = verdicts[verdict];
  return (
    <>
      <p class={`note ${tone}`}>
        <strong>{verdict}</strong>. {text}
      </p>
      <p class="muted small">
        Of <Moment at={at} />, in {durationText(tookMs)}.{' '}
        {projection === undefined
          ? 'There is no Iceberg table.'
          : `The Iceberg table has ${countText(projection.rows)} rows in ${countText(projection.files)} files.`}
      </p>
      {faultCount === 0 ? null : (
        <ul class="screen" aria-label="Faults">
          {faults.slice(0, 100).map(({ kind, what, next }, n) => (
            <li key={n} class="note bad">
              <p>
                <span class="badge bad">{kind}</span> <strong class="foreign">{what}</strong>
              </p>
              <p class="foreign">{next}</p>
            </li>
          ))}
          {faultCount > 100 ? <li>{countText(faultCount - 100)} more faults.</li> : null}
        </ul>
      )}
      {lostOffsets === 0 ? null : (
        <ul class="screen" aria-label="Losses">
          {losses.slice(0, 100).map(({ what }, n) => (
            <li key={n} class="note warn foreign">
              {what}
            </li>
          ))}
        </ul>
      )}
      <ScrollTable label="Counts by partition" columns={columns}>
        {lanes.map((lane) => (
          <tr key={`${lane.topic} ${lane.partition}`}>
            {[lane.partition, lane.spanned, lane.rows, lane.rejected, lane.dropped, lane.absent, lane.lost, lane.gap, lane.files].map(
              (value, n) => (
                <td key={n} class="number">
                  {countText(value)}
                </td>
              ),
            )}
          </tr>
        ))}
      </ScrollTable>
    </>
  );
}
