import type { FlowProcess } from '@millrace/contracts';
import type { JSX } from 'preact';
import { pathTo } from '../../app/paths.ts';
import { LiveHeading } from '../../parts/live-heading.tsx';
import { NoProcesses } from '../../parts/no-processes.tsx';
import { ProblemNote } from '../../parts/problem-note.tsx';
import { ScrollTable } from '../../parts/scroll-table.tsx';
import { keysOf } from '../../parts/names.ts';
import { flowEveryMs, readingsWithin, useFlow } from '../../parts/use-flow.ts';
import { useUrlState } from '../../parts/use-url-state.ts';
import { FlowPicture } from './flow-picture.tsx';
import { problemsOf } from './problems.ts';
import { Stores } from './stores.tsx';

/** Time that the curves show. The page knows nothing from before it was opened. */
const ranges = {
  '1m': { label: '1 min', ms: 60_000 },
  '4m': { label: '4 min', ms: 240_000 },
  '30m': { label: '30 min', ms: 1_800_000 },
} as const;
const standardRange = '4m';

const columns = [{ heading: 'Process' }, { heading: 'Status' }, { heading: 'Dependencies' }];

/** `/console/flow`: problems first, then the path of an event with live numbers. */
export function FlowScreen(): JSX.Element {
  const [paused, setPaused] = useUrlState('paused', '');
  const [rangeName, setRange] = useUrlState('range', standardRange);
  const isPaused = paused !== '';
  const range = keysOf(ranges).find((one) => one === rangeName) ?? standardRange;
  const { readings, error } = useFlow(isPaused);
  const now = readings.at(-1);
  return (
    <div class="screen">
      <LiveHeading
        title="Flow"
        isPaused={isPaused}
        onPause={(next) => setPaused(next ? 'yes' : '')}
        everyMs={flowEveryMs}
        isLost={error !== undefined}
      >
        <div class="segments" role="group" aria-label="Time of the curves">
          {keysOf(ranges).map((name) => (
            <button key={name} type="button" aria-pressed={range === name} onClick={() => setRange(name)}>
              {ranges[name].label}
            </button>
          ))}
        </div>
      </LiveHeading>
      <ProblemNote error={error} />
      {now === undefined && error === undefined ? <p role="status">Reading the processes…</p> : null}
      <NoProcesses flow={now} />
      {now === undefined || now.processes.length === 0 ? null : (
        <>
          <Problems problems={problemsOf(now)} />
          <FlowPicture readings={readingsWithin(readings, ranges[range].ms)} />
          <Stores flow={now} />
          <Processes processes={now.processes} />
        </>
      )}
    </div>
  );
}

function Problems({ problems }: { readonly problems: ReturnType<typeof problemsOf> }): JSX.Element {
  if (problems.length === 0) return <p class="note good">No problem: every process is ready, and every circuit is closed.</p>;
  return (
    <ul class="screen" aria-label="Problems">
      {problems.map(({ severity, what, remedy, section }) => (
        <li key={what} class={`note ${severity}`}>
          <p>
            <strong class="foreign">{what}</strong>
          </p>
          <p>
            {remedy}{' '}
            {section === undefined ? null : (
              <a href={`${pathTo('runbook')}#${section}`} aria-label={`Runbook for: ${what}`}>
                Runbook
              </a>
            )}
          </p>
        </li>
      ))}
    </ul>
  );
}

function Processes({ processes }: { readonly processes: readonly FlowProcess[] }): JSX.Element {
  return (
    <section class="card" aria-label="Processes">
      <div class="row">
        <h2>Processes</h2>
        <a href={pathTo('resilience')}>All circuits</a>
      </div>
      <ScrollTable label="Processes and their dependencies" columns={columns}>
        {processes.map(({ name, status, dependencies }) => (
          <tr key={name}>
            <td>{name}</td>
            <td>
              <span class={`badge ${status === 'ready' ? 'good' : status === 'degraded' || status === 'refused' ? 'warn' : 'bad'}`}>
                {status}
              </span>
            </td>
            <td>
              <ul class="row small">
                {dependencies
                  .filter((one) => !one.name.startsWith('circuit-'))
                  .map((one) => (
                    <li key={one.name} title={one.detail}>
                      {one.name}: <span class={`badge ${one.status === 'up' ? 'good' : 'bad'}`}>{one.status}</span>
                    </li>
                  ))}
              </ul>
            </td>
          </tr>
        ))}
      </ScrollTable>
    </section>
  );
}
