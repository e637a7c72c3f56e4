import type { Meter, ObservableResult } from '@opentelemetry/api';
import type { PipelineSnapshot } from '@millrace/resilience';
import { callSecondsBounds, shownCircuitState, circuitStates, type PipelineInstruments, highestShedLevel } from './pipeline-instruments.ts';

/**
 * Metrics of pipelines with OpenTelemetry names: dots, separate units, durations in seconds. The process must register a meter
 * provider before it gets the meter, because a meter of the API ignores a later provider.
 */
export function openTelemetryInstruments(meter: Meter): PipelineInstruments {
  const duration = meter.createHistogram('millrace.pipeline.duration', {
    unit: 's',
    description: 'Duration of a call with all its attempts and waits',
    // The default bounds of the SDK are for milliseconds: nearly every call would fall into the first bucket.
    advice: { explicitBucketBoundaries: [...callSecondsBounds] },
  });
  const attempts = meter.createCounter('millrace.pipeline.attempts', { unit: '{attempt}', description: 'Attempts, by result' });
  const rejections = meter.createCounter('millrace.pipeline.rejections', {
    unit: '{rejection}',
    description: 'Calls and attempts that the pipeline rejected, by reason',
  });
  const fallbacks = meter.createCounter('millrace.pipeline.fallbacks', {
    unit: '{fallback}',
    description: 'Fallbacks, by kind and outcome',
  });

  return {
    call: (pipeline, outcome, seconds) => duration.record(seconds, { 'pipeline.name': pipeline, outcome }),
    attempt: (pipeline, result) => attempts.add(1, { 'pipeline.name': pipeline, result }),
    rejection: (pipeline, reason) => rejections.add(1, { 'pipeline.name': pipeline, reason }),
    fallback: (pipeline, kind, outcome) => fallbacks.add(1, { 'pipeline.name': pipeline, kind, outcome }),
    readFrom: (snapshots) => addGauges(meter, snapshots),
  };
}

function addGauges(meter: Meter, snapshots: () => readonly PipelineSnapshot[]): void {
  const addGauge = (
    name: string,
    unit: string,
    description: string,
    readValue: (snapshot: PipelineSnapshot) => number | undefined,
  ): void => {
    meter.createObservableGauge(name, { unit, description }).addCallback((result: ObservableResult) => {
      for (const snapshot of snapshots()) {
        const value = readValue(snapshot);
        if (value !== undefined) result.observe(value, { 'pipeline.name': snapshot.name });
      }
    });
  };
  addGauge('millrace.pipeline.in_flight', '{call}', 'Calls whose work runs, zombies included', (snapshot) => snapshot.inFlight);
  addGauge('millrace.pipeline.queued', '{call}', 'Calls that wait for a bulkhead permit', (snapshot) => snapshot.bulkhead?.queued);
  addGauge('millrace.pipeline.zombies', '{call}', 'Work that runs although its caller no longer waits', (snapshot) => snapshot.zombies);
  addGauge(
    'millrace.pipeline.retry_budget',
    '{retry}',
    'Retries that are left in the budget',
    (snapshot) => snapshot.retryBudget?.available,
  );
  meter
    .createObservableGauge('millrace.pipeline.circuit.state', {
      unit: '1',
      description: '1 for the current state of the circuit, 0 for the others',
    })
    .addCallback((result) => {
      for (const { name, breaker } of snapshots()) {
        if (breaker !== undefined)
          for (const state of circuitStates) result.observe(shownCircuitState(breaker) === state ? 1 : 0, { 'pipeline.name': name, state });
      }
    });
  meter
    .createObservableGauge('millrace.shed.level', {
      unit: '1',
      description: 'Priorities that the process sheds: from 0 none to 3 all but critical',
    })
    .addCallback((result) => result.observe(highestShedLevel(snapshots())));
}
