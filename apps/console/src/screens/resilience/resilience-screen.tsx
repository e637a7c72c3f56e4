import type { CircuitChange, Flow } from '@millrace/contracts';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { sendForJson } from '../../api/request.ts';
import { LiveHeading } from '../../parts/live-heading.tsx';
import { NoProcesses } from '../../parts/no-processes.tsx';
import { ProblemNote } from '../../parts/problem-note.tsx';
import { useChange } from '../../parts/use-change.ts';
import { flowEveryMs, useFlow } from '../../parts/use-flow.ts';
import { CircuitDialog, type ChosenCircuit } from './circuit-dialog.tsx';
import { PipelineCard } from './pipeline-card.tsx';

/** `/console/resilience`: every pipeline of every process, live. */
export function ResilienceScreen(): JSX.Element {
  const [isPaused, setPaused] = useState(false);
  const [chosen, setChosen] = useState<ChosenCircuit>();
  const { readings, error, refresh } = useFlow(isPaused);
  const { failure, make } = useChange(refresh);
  const now = readings.at(-1);
  const change = async ({ process, pipeline }: ChosenCircuit, body: CircuitChange): Promise<void> => {
    setChosen(undefined);
    const path = `/v1/flow/${encodeURIComponent(process)}/pipelines/${encodeURIComponent(pipeline.name)}`;
    await make(async () => await sendForJson(path, { method: 'POST', body }));
  };
  return (
    <div class="screen">
      <LiveHeading title="Resilience" isPaused={isPaused} onPause={setPaused} everyMs={flowEveryMs} isLost={error !== undefined} />
      <p class="muted">Each card is a pipeline. The circle grows with the calls by the second; its colour is the state of the circuit.</p>
      <ProblemNote error={failure} />
      <ProblemNote error={error} />
      {now === undefined && error === undefined ? <p role="status">Reading the pipelines…</p> : null}
      <NoProcesses flow={now} />
      {now?.processes.map(({ name, status, pipelines }) => (
        <section key={name} class="screen" aria-label={name}>
          <h2>{name}</h2>
          {pipelines.length === 0 ? <p class="note warn">The process is {status}.</p> : null}
          <ul class="pipelines">
            {pipelines.map((pipeline) => (
              <PipelineCard
                key={pipeline.name}
                pipeline={pipeline}
                rates={callRates(readings, name, pipeline.name)}
                onChange={() => setChosen({ process: name, pipeline })}
              />
            ))}
          </ul>
        </section>
      ))}
      {chosen === undefined ? null : (
        <CircuitDialog chosen={chosen} onClose={() => setChosen(undefined)} onChange={(body) => void change(chosen, body)} />
      )}
    </div>
  );
}

/** Calls by the second between readings; undefined for the first one and after a restart. */
function callRates(readings: readonly Flow[], process: string, pipeline: string): (number | undefined)[] {
  const calls = readings.map(
    (reading) => reading.processes.find(({ name }) => name === process)?.pipelines.find(({ name }) => name === pipeline)?.calls,
  );
  return calls.map((now, n) => {
    const before = calls[n - 1];
    if (now === undefined || before === undefined || now < before) return undefined;
    const seconds = (Date.parse(readings[n]!.at) - Date.parse(readings[n - 1]!.at)) / 1000;
    return seconds > 0 ? (now - before) / seconds : undefined;
  });
}
