import type { PipelineSnapshot } from '@millrace/resilience';
import type { Metrics } from '../../metrics/metrics.ts';
import { callSecondsBounds, shownCircuitState, circuitStates, type PipelineInstruments, highestShedLevel } from './pipeline-instruments.ts';

/** Metrics of pipelines with Prometheus names. */
export function prometheusInstruments(metrics: Metrics): PipelineInstruments {
  const duration = metrics.histogram({
    name: 'millrace_pipeline_duration_seconds',
    help: 'Duration of a call with all its attempts and waits, in seconds, by outcome.',
    labelNames: ['pipeline', 'outcome'],
    buckets: [...callSecondsBounds],
  });
  const attempts = metrics.counter({
    name: 'millrace_pipeline_attempts_total',
    help: 'Attempts, by result.',
    labelNames: ['pipeline', 'result'],
  });
  const rejections = metrics.counter({
    name: 'millrace_pipeline_rejections_total',
    help: 'Calls and attempts that the pipeline rejected, by reason.',
    labelNames: ['pipeline', 'reason'],
  });
  const fallbacks = metrics.counter({
    name: 'millrace_pipeline_fallbacks_total',
    help: 'Fallbacks that answered (used) or failed (failed), by kind.',
    labelNames: ['pipeline', 'kind', 'outcome'],
  });

  return {
    call: (pipeline, outcome, seconds) => duration.observe({ pipeline, outcome }, seconds),
    attempt: (pipeline, result) => attempts.inc({ pipeline, result }),
    rejection: (pipeline, reason) => rejections.inc({ pipeline, reason }),
    fallback: (pipeline, kind, outcome) => fallbacks.inc({ pipeline, kind, outcome }),
    readFrom: (snapshots) => addGauges(metrics, snapshots),
  };
}

function addGauges(metrics: Metrics, snapshots: () => readonly PipelineSnapshot[]): void {
  const state = metrics.gauge({
    name: 'millrace_pipeline_circuit_state',
    help: 'State of the circuit: 1 for the current state, 0 for the others. A mode that an operator has set takes precedence.',
    labelNames: ['pipeline', 'state'],
    collect() {
      for (const { name, breaker } of snapshots()) {
        if (breaker !== undefined)
          for (const one of circuitStates) state.set({ pipeline: name, state: one }, shownCircuitState(breaker) === one ? 1 : 0);
      }
    },
  });
  const addGauge = (name: string, help: string, readValue: (snapshot: PipelineSnapshot) => number | undefined): void => {
    const gauge = metrics.gauge({
      name,
      help,
      labelNames: ['pipeline'],
      collect() {
        for (const snapshot of snapshots()) {
          const value = readValue(snapshot);
          if (value !== undefined) gauge.set({ pipeline: snapshot.name }, value);
        }
      },
    });
  };
  addGauge('millrace_pipeline_in_flight', 'Calls whose work runs, zombies included.', (snapshot) => snapshot.inFlight);
  addGauge('millrace_pipeline_queued', 'Calls that wait for a bulkhead permit.', (snapshot) => snapshot.bulkhead?.queued);
  addGauge('millrace_pipeline_zombies', 'Work that runs although its caller no longer waits.', (snapshot) => snapshot.zombies);
  addGauge('millrace_pipeline_retry_budget_tokens', 'Retries that are left in the budget.', (snapshot) => snapshot.retryBudget?.available);
  const shed = metrics.gauge({
    name: 'millrace_shed_level',
    help: 'Priorities that the process sheds: 0 none, 1 low, 2 normal and low, 3 all but critical.',
    collect() {
      shed.set(highestShedLevel(snapshots()));
    },
  });
}
