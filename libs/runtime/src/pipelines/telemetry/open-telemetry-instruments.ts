import type { Meter, ObservableResult } from '@opentelemetry/api';
import type { PipelineSnapshot } from '@millrace/resilience';
import { callSecondsBounds, circuitStateOf, circuitStates, type PipelineInstruments, shedLevelOf } from './pipeline-instruments.ts';

/**
 * The figures of pipelines in OpenTelemetry's manner: names with dots, units apart, durations in seconds. They go nowhere unless the process has registered a
 * meter provider before the meter was got: a meter of the API does not hear of one that comes later.
 */
export function openTelemetryInstruments(meter: Meter): PipelineInstruments {
  const duration = meter.createHistogram('millrace.pipeline.duration', {
    unit: 's',
    description: 'Time of a call with all its attempts and waits',
    // The SDK's own bounds are for milliseconds: nearly every call would be in the first bucket.
    advice: { explicitBucketBoundaries: [...callSecondsBounds] },
  });
  const attempts = meter.createCounter('millrace.pipeline.attempts', { unit: '{attempt}', description: 'Attempts, by result' });
  const rejections = meter.createCounter('millrace.pipeline.rejections', { unit: '{rejection}', description: 'Calls and attempts refused without asking the dependency, by reason' });
  const fallbacks = meter.createCounter('millrace.pipeline.fallbacks', { unit: '{fallback}', description: 'Fallbacks, by kind and outcome' });

  return {
    call: (pipeline, outcome, seconds) => duration.record(seconds, { 'pipeline.name': pipeline, outcome }),
    attempt: (pipeline, result) => attempts.add(1, { 'pipeline.name': pipeline, result }),
    rejection: (pipeline, reason) => rejections.add(1, { 'pipeline.name': pipeline, reason }),
    fallback: (pipeline, kind, outcome) => fallbacks.add(1, { 'pipeline.name': pipeline, kind, outcome }),
    readFrom: (snapshots) => gaugesOf(meter, snapshots),
  };
}

function gaugesOf(meter: Meter, snapshots: () => readonly PipelineSnapshot[]): void {
  const perPipeline = (name: string, unit: string, description: string, valueOf: (snapshot: PipelineSnapshot) => number | undefined): void => {
    meter.createObservableGauge(name, { unit, description }).addCallback((result: ObservableResult) => {
      for (const snapshot of snapshots()) {
        const value = valueOf(snapshot);
        if (value !== undefined) result.observe(value, { 'pipeline.name': snapshot.name });
      }
    });
  };
  perPipeline('millrace.pipeline.in_flight', '{call}', 'Calls whose work is going on, abandoned ones included', (snapshot) => snapshot.inFlight);
  perPipeline('millrace.pipeline.queued', '{call}', 'Calls that wait for their turn at the bulkhead', (snapshot) => snapshot.bulkhead?.queued);
  perPipeline('millrace.pipeline.zombies', '{call}', 'Work that goes on though its caller has gone', (snapshot) => snapshot.zombies);
  perPipeline('millrace.pipeline.retry_budget', '{retry}', 'Retries that the budget has left', (snapshot) => snapshot.retryBudget?.available);
  meter.createObservableGauge('millrace.pipeline.circuit.state', { unit: '1', description: '1 for the state the circuit is in, 0 for the others' }).addCallback((result) => {
    for (const { name, breaker } of snapshots()) {
      if (breaker !== undefined) for (const state of circuitStates) result.observe(circuitStateOf(breaker) === state ? 1 : 0, { 'pipeline.name': name, state });
    }
  });
  meter.createObservableGauge('millrace.shed.level', { unit: '1', description: 'What the process leaves out: 0 nothing to 3 all but critical' }).addCallback((result) => result.observe(shedLevelOf(snapshots())));
}
