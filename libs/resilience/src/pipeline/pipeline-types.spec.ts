import { describe, expect, expectTypeOf, it } from 'vitest';
import { createPipeline } from './create-pipeline.ts';
import type { FallbackQueue, QueuedReceipt } from '../fallback-queue/fallback-queue.ts';
import type { PipelineSpec } from '../settings/pipeline-spec.ts';

const queue: FallbackQueue = {
  put: () => Promise.resolve(),
  replay: () => Promise.resolve({ replayed: 0, kept: 0 }),
  size: () => Promise.resolve(0),
};
const wide: PipelineSpec = { name: 's3' };
const pipelines = {
  retrying: createPipeline({ name: 's3', retry: {} }),
  plain: createPipeline({ name: 's3', breaker: {} }),
  unknown: createPipeline(wide),
  keeping: createPipeline({ name: 's3', cache: {}, fallbacks: [{ kind: 'cache' }] }),
  falling: createPipeline({ name: 's3', fallbacks: [{ kind: 'queue', queue }, { kind: 'stub', value: () => 'none' }, { kind: 'silent' }] }),
};

describe('the type of a pipeline', () => {
  it('the type requires idempotent as soon as the pipeline may retry', async () => {
    // @ts-expect-error -- a retrying pipeline has no default for `idempotent`
    expect(await pipelines.retrying.execute(() => 1)).toBe(1);
    // @ts-expect-error -- a pipeline that may retry has no default either
    expect(await pipelines.unknown.execute(() => 1, {})).toBe(1);
    expect(await pipelines.retrying.execute(() => 1, { idempotent: false })).toBe(1);
    expect(await pipelines.plain.execute(() => 1)).toBe(1);
  });

  it('the type of an answer includes the values of the fallbacks', async () => {
    const kept = await pipelines.keeping.execute(() => 1);
    expectTypeOf(kept).toEqualTypeOf<number>();
    const answer = await pipelines.falling.execute(() => 1);
    expectTypeOf(answer).toEqualTypeOf<number | QueuedReceipt | string | undefined>();
    expect([kept, answer]).toEqual([1, 1]);
  });
});
