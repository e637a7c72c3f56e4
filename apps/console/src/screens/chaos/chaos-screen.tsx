import type { AttacksView, ExperimentList } from '@millrace/contracts';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { pathTo } from '../../app/paths.ts';
import { LiveHeading } from '../../parts/live-heading.tsx';
import { usePolled } from '../../parts/polled.ts';
import { ProblemNote } from '../../parts/problem-note.tsx';
import { useChange } from '../../parts/use-change.ts';
import { askEndpoint, startRoute } from './attack-endpoint.ts';
import { AttackForm } from './attack-form.tsx';
import { EndedAttacks, RunningAttacks } from './attack-tables.tsx';
import { Experiments } from './experiments.tsx';

const everyMs = 2000;

/** `/console/chaos`: attacks on the services of the chaos profile, and the experiments with their verdicts. */
export function ChaosScreen(): JSX.Element {
  const [isPaused, setPaused] = useState(false);
  const { data, error, refresh } = usePolled(async (signal) => await askEndpoint<AttacksView>('', signal), isPaused ? undefined : everyMs);
  const catalogue = usePolled(async (signal) => await askEndpoint<ExperimentList>('/experiments', signal), undefined);
  const { failure, make } = useChange(refresh);
  return (
    <div class="screen">
      <LiveHeading title="Chaos" isPaused={isPaused} onPause={setPaused} everyMs={everyMs} isLost={error !== undefined} />
      <p class="muted">
        Attacks reach the services of this chaos profile only. <a href={pathTo('flow')}>Flow</a> and{' '}
        <a href={pathTo('resilience')}>Resilience</a> show what they do.
      </p>
      <ProblemNote error={failure} />
      <ProblemNote error={error} />
      {data === undefined ? (
        error === undefined ? (
          <p role="status">Reading the attacks…</p>
        ) : null
      ) : (
        <>
          <section class="card" aria-label="Start an attack">
            <h2>Start an attack</h2>
            <AttackForm
              attacks={data.attacks}
              targets={data.targets}
              onStart={({ attack, target, seconds, values }) =>
                void make(async () => await askEndpoint(startRoute(attack, target, seconds, values)))
              }
            />
          </section>
          <section class="card" aria-label="Running attacks">
            <h2>Running</h2>
            <RunningAttacks
              attacks={data.running}
              onStop={(id) => void make(async () => await askEndpoint(id === undefined ? '/stop' : `/stop?id=${id}`))}
            />
          </section>
          <section class="card" aria-label="Ended attacks">
            <h2>Ended</h2>
            <EndedAttacks attacks={data.ended} />
          </section>
        </>
      )}
      <ProblemNote error={catalogue.error === undefined || error !== undefined ? undefined : catalogue.error} />
      {catalogue.data === undefined ? null : <Experiments experiments={catalogue.data.experiments} />}
    </div>
  );
}
