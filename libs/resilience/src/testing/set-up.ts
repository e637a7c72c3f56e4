import { createPipeline } from '../pipeline/create-pipeline.ts';
import type { PipelineEvent, PipelineEventOf, PipelineEventType } from '../telemetry/pipeline-event.ts';
import type { Pipeline, PipelineDeps } from '../pipeline/pipeline.ts';
import type { PipelineSpec } from '../settings/pipeline-spec.ts';
import { VirtualClock } from './virtual-clock.ts';

/** A pipeline with a virtual clock and its recorded events. */
export interface PipelineUnderTest<S extends PipelineSpec> {
  readonly pipeline: Pipeline<S>;
  readonly clock: VirtualClock;
  readonly events: readonly PipelineEvent[];
  /** Returns the events of one name so far. */
  readonly told: <Type extends PipelineEventType>(type: Type) => readonly PipelineEventOf<Type>[];
}

/** Creates a pipeline for a test. The random numbers are 0.5 by default. */
export function setUp<const S extends PipelineSpec>(spec: S, deps: PipelineDeps = {}): PipelineUnderTest<S> {
  const clock = new VirtualClock();
  const events: PipelineEvent[] = [];
  const pipeline = createPipeline(spec, { clock, random: () => 0.5, onEvent: (event) => events.push(event), ...deps });
  return {
    pipeline,
    clock,
    events,
    told: <Type extends PipelineEventType>(type: Type) => events.filter((event): event is PipelineEventOf<Type> => event.type === type),
  };
}

/** Error of a dependency that is down. */
export const down = new Error('the dependency is down');

/** Work that fails. */
export const failing = (): Promise<never> => Promise.reject(down);

/** Work that never ends and ignores its signal. */
export const never = (): Promise<never> => new Promise(() => undefined);

/** Makes `n` calls one after the other and ignores their results. */
export async function times(n: number, call: () => Promise<unknown>): Promise<void> {
  for (let i = 0; i < n; i += 1) await call().catch(() => undefined);
}
