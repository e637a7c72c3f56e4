import type { FlowProcess } from '@millrace/contracts';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { pathTo } from '../../app/paths.ts';
import { LiveHeading } from '../../parts/live-heading.tsx';
import { NoProcesses } from '../../parts/no-processes.tsx';
import { ProblemNote } from '../../parts/problem-note.tsx';
import { ScrollTable } from '../../parts/scroll-table.tsx';
import { flowEveryMs, useFlow } from '../../parts/use-flow.ts';
import { FlowPicture } from './flow-picture.tsx';
import { problemsOf } from './problems.ts';
import { Stores } from './stores.tsx';

const columns = [{ heading: 'Process' }, { heading: 'Status' }, { heading: 'Dependencies' }];

/** `/console/flow`: problems first, then the way of an event with live numbers. */
export function FlowScreen(): JSX.Element {
  const [isPaused, setPaused] = useState(false);
  const { readings, error } = useFlow(isPaused);
  const now = readings.at(-1);
  return (
    <div class="screen">
      <LiveHeading title="Flow" isPaused={isPaused} onPause={setPaused} everyMs={flowEveryMs} isLost={error !== undefined} />
      <ProblemNote error={error} />
      {now === undefined && error === undefined ? <p role="status">Reading the processes…</p> : null}
      <NoProcesses flow={now} />
      {now === undefined || now.processes.length === 0 ? null : (
        <>
          <Problems problems={problemsOf(now)} />
          <FlowPicture readings={readings} />
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
      {problems.map(({ severity, what, remedy }) => (
        <li key={what} class={`note ${severity}`}>
          <p>
            <strong class="foreign">{what}</strong>
          </p>
          <p>{remedy}</p>
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
