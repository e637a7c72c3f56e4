import type { PipelineRegistry } from '../pipeline-registry.ts';
import type { PipelineInstruments } from './pipeline-instruments.ts';

/** Connects the events and snapshots of every pipeline with metrics. */
export function measurePipelines(registry: PipelineRegistry, all: readonly PipelineInstruments[]): void {
  for (const instruments of all) {
    instruments.readFrom(() => registry.list().map((pipeline) => pipeline.snapshot()));
    registry.observe(({ name, events }) => {
      events.on('CallFinished', ({ result, durationMs }) => instruments.call(name, result, durationMs / 1000));
      events.on('AttemptFinished', ({ result }) => instruments.attempt(name, result));
      events.on('CallRejected', ({ code }) => instruments.rejection(name, code));
      events.on('FallbackUsed', ({ kind }) => instruments.fallback(name, kind, 'used'));
      events.on('FallbackFailed', ({ kind }) => instruments.fallback(name, kind, 'failed'));
    });
  }
}
