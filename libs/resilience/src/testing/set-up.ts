import { createPipeline } from '../pipeline/create-pipeline.ts';
import type { PipelineEvent, PipelineEventOf, PipelineEventType } from '../telemetry/pipeline-event.ts';
import type { Pipeline, PipelineDeps } from '../pipeline/pipeline.ts';
import type { PipelineSpec } from '../settings/pipeline-spec.ts';
import { VirtualClock } from './virtual-clock.ts';

/** A pipeline on a clock that stands still, and all that it tells. */
export interface PipelineOnTrial<S extends PipelineSpec> {
  readonly pipeline: Pipeline<S>;
  readonly clock: VirtualClock;
  readonly events: readonly PipelineEvent[];
  /** Events of one name, so far. */
  readonly told: <Type extends PipelineEventType>(type: Type) => readonly PipelineEventOf<Type>[];
}

/** Randomness is a constant 0.5, unless it is given. */
export function setUp<const S extends PipelineSpec>(spec: S, deps: PipelineDeps = {}): PipelineOnTrial<S> {
  const clock = new VirtualClock();
  const events: PipelineEvent[] = [];
  const pipeline = createPipeline(spec, { clock, random: () => 0.5, onEvent: (event) => events.push(event), ...deps });
  return { pipeline, clock, events, told: <Type extends PipelineEventType>(type: Type) => events.filter((event): event is PipelineEventOf<Type> => event.type === type) };
}

/** What a dependency that is down throws. */
export const down = new Error('the dependency is down');

/** Work that fails. */
export const failing = (): Promise<never> => Promise.reject(down);

/** Work that never ends, whatever it is told. */
export const never = (): Promise<never> => new Promise(() => undefined);

/** Calls one after the other, whatever becomes of them. */
export async function times(n: number, call: () => Promise<unknown>): Promise<void> {
  for (let i = 0; i < n; i += 1) await call().catch(() => undefined);
}
