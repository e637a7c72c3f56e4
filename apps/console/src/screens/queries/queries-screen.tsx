import type { EngineName, QueryList, QueryState } from '@millrace/contracts';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { sendForJson } from '../../api/request.ts';
import { hasScope } from '../../api/session.ts';
import { LiveHeading } from '../../parts/live-heading.tsx';
import { engineLabels, keysOf, stateLabels } from '../../parts/names.ts';
import { usePolled } from '../../parts/polled.ts';
import { ProblemNote } from '../../parts/problem-note.tsx';
import { durationText } from '../../parts/units.ts';
import { useChange } from '../../parts/use-change.ts';
import { QueryTable } from './query-table.tsx';
import { waitsOf } from './waits.ts';

const everyMs = 2000;
const listedMax = 100;

/** `/console/queries`: queries that wait, run or have ended. */
export function QueriesScreen(): JSX.Element {
  const [isPaused, setPaused] = useState(false);
  const [engine, setEngine] = useState<EngineName>();
  const [state, setState] = useState<QueryState>();
  const [text, setText] = useState('');
  const query = new URLSearchParams({
    limit: String(listedMax),
    ...(engine === undefined ? {} : { engine }),
    ...(state === undefined ? {} : { state }),
    ...(text === '' ? {} : { text }),
  }).toString();
  const { data, error, refresh } = usePolled(
    async (signal) => await sendForJson<QueryList>(`/v1/queries?${query}`, { signal }),
    isPaused ? undefined : everyMs,
    query,
  );
  const queries = data?.queries ?? [];
  const active = queries.filter((one) => ['queued', 'running', 'cancelling'].includes(one.state));
  const ended = queries.filter((one) => !active.includes(one));
  const waits = waitsOf(queries);
  const { failure, make } = useChange(refresh);
  const cancel = async (id: string): Promise<void> => await make(async () => await sendForJson(`/v1/queries/${id}`, { method: 'DELETE' }));
  return (
    <div class="screen">
      <LiveHeading title="Queries" isPaused={isPaused} onPause={setPaused} everyMs={everyMs} isLost={error !== undefined} />
      <p class="muted">
        {hasScope(['admin']) ? 'The queries of every caller.' : 'Your queries. The scope admin shows those of every caller.'}
      </p>
      <div class="row">
        <label class="row small">
          Engine
          <select
            value={engine ?? ''}
            onChange={({ currentTarget }) => setEngine(keysOf(engineLabels).find((one) => one === currentTarget.value))}
          >
            <option value="">All</option>
            {keysOf(engineLabels).map((name) => (
              <option key={name} value={name}>
                {engineLabels[name]}
              </option>
            ))}
          </select>
        </label>
        <label class="row small">
          State
          <select
            value={state ?? ''}
            onChange={({ currentTarget }) => setState(keysOf(stateLabels).find((one) => one === currentTarget.value))}
          >
            <option value="">All</option>
            {keysOf(stateLabels).map((name) => (
              <option key={name} value={name}>
                {stateLabels[name]}
              </option>
            ))}
          </select>
        </label>
        <input
          type="search"
          aria-label="Part of the statement"
          placeholder="Part of the statement"
          maxLength={200}
          value={text}
          onInput={({ currentTarget }) => setText(currentTarget.value)}
        />
      </div>
      <ProblemNote error={failure} />
      <ProblemNote error={error} />
      {data === undefined ? (
        error === undefined ? (
          <p role="status">Loading the queries…</p>
        ) : null
      ) : (
        <>
          <dl class="facts">
            {keysOf(engineLabels)
              .filter((name) => queries.some((one) => one.engine === name))
              .map((name) => (
                <div key={name}>
                  <dt>{engineLabels[name]} now</dt>
                  <dd>{activeText(active.filter((one) => one.engine === name))}</dd>
                </div>
              ))}
            <div>
              <dt>Wait for a worker, median</dt>
              <dd>{waits === undefined ? 'none yet' : durationText(waits.p50Ms)}</dd>
            </div>
            <div>
              <dt>Wait for a worker, 95 %</dt>
              <dd>{waits === undefined ? 'none yet' : durationText(waits.p95Ms)}</dd>
            </div>
          </dl>
          <section class="card" aria-label="Queued and running">
            <h2>Queued and running</h2>
            {active.length === 0 ? (
              <p class="muted">No query waits or runs now.</p>
            ) : (
              <QueryTable queries={active} onCancel={(id) => void cancel(id)} />
            )}
          </section>
          <section class="card" aria-label="Ended">
            <h2>Ended</h2>
            {ended.length === 0 ? <p class="muted">No query has ended yet. Ask one on the screen Ask.</p> : <QueryTable queries={ended} />}
          </section>
        </>
      )}
    </div>
  );
}

function activeText(active: QueryList['queries']): string {
  const queued = active.filter(({ state }) => state === 'queued').length;
  return `${active.length - queued} running, ${queued} queued`;
}
