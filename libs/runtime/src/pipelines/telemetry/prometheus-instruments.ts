import type { PipelineSnapshot } from '@millrace/resilience';
import type { Metrics } from '../../metrics/metrics.ts';
import { callSecondsBounds, circuitStateOf, circuitStates, type PipelineInstruments, shedLevelOf } from './pipeline-instruments.ts';

/** The figures of pipelines in Prometheus's names. */
export function prometheusInstruments(metrics: Metrics): PipelineInstruments {
  const duration = metrics.histogram({
    name: 'millrace_pipeline_duration_seconds',
    help: 'Time of a call with all its attempts and waits, in seconds, by how it ended for its caller.',
    labelNames: ['pipeline', 'outcome'],
    buckets: [...callSecondsBounds],
  });
  const attempts = metrics.counter({ name: 'millrace_pipeline_attempts_total', help: 'Attempts, by how they ended.', labelNames: ['pipeline', 'result'] });
  const rejections = metrics.counter({ name: 'millrace_pipeline_rejections_total', help: 'Calls and attempts refused without asking the dependency, by reason.', labelNames: ['pipeline', 'reason'] });
  const fallbacks = metrics.counter({ name: 'millrace_pipeline_fallbacks_total', help: 'Fallbacks that answered (used) or could not (failed), by kind.', labelNames: ['pipeline', 'kind', 'outcome'] });

  return {
    call: (pipeline, outcome, seconds) => duration.observe({ pipeline, outcome }, seconds),
    attempt: (pipeline, result) => attempts.inc({ pipeline, result }),
    rejection: (pipeline, reason) => rejections.inc({ pipeline, reason }),
    fallback: (pipeline, kind, outcome) => fallbacks.inc({ pipeline, kind, outcome }),
    readFrom: (snapshots) => gaugesOf(metrics, snapshots),
  };
}

function gaugesOf(metrics: Metrics, snapshots: () => readonly PipelineSnapshot[]): void {
  const state = metrics.gauge({
    name: 'millrace_pipeline_circuit_state',
    help: 'State of the circuit: 1 for the state it is in, 0 for the others. A state set by hand stands before its own.',
    labelNames: ['pipeline', 'state'],
    collect() {
      for (const { name, breaker } of snapshots()) {
        if (breaker !== undefined) for (const one of circuitStates) state.set({ pipeline: name, state: one }, circuitStateOf(breaker) === one ? 1 : 0);
      }
    },
  });
  const perPipeline = (name: string, help: string, valueOf: (snapshot: PipelineSnapshot) => number | undefined): void => {
    const gauge = metrics.gauge({
      name,
      help,
      labelNames: ['pipeline'],
      collect() {
        for (const snapshot of snapshots()) {
          const value = valueOf(snapshot);
          if (value !== undefined) gauge.set({ pipeline: snapshot.name }, value);
        }
      },
    });
  };
  perPipeline('millrace_pipeline_in_flight', 'Calls whose work is going on, abandoned ones included.', (snapshot) => snapshot.inFlight);
  perPipeline('millrace_pipeline_queued', 'Calls that wait for their turn at the bulkhead.', (snapshot) => snapshot.bulkhead?.queued);
  perPipeline('millrace_pipeline_zombies', 'Work that goes on though its caller has gone.', (snapshot) => snapshot.zombies);
  perPipeline('millrace_pipeline_retry_budget_tokens', 'Retries that the budget has left.', (snapshot) => snapshot.retryBudget?.available);
  const shed = metrics.gauge({
    name: 'millrace_shed_level',
    help: 'What the process leaves out: 0 nothing, 1 low priority, 2 normal and low, 3 all but critical.',
    collect() {
      shed.set(shedLevelOf(snapshots()));
    },
  });
}
