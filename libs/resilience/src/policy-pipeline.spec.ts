import { describe, expect, it } from 'vitest';
import { createPipeline } from './create-pipeline.ts';
import { AttemptTimeoutError, DeadlineExceededError, PipelineClosedError } from './errors.ts';
import type { PipelineEvent } from './events.ts';
import type { PipelineSpec } from './spec.ts';
import { VirtualClock } from './simulation/virtual-clock.ts';

function setUp<const S extends PipelineSpec>(spec: S) {
  const clock = new VirtualClock();
  const events: PipelineEvent[] = [];
  const pipeline = createPipeline(spec, { clock, random: () => 0.5, onEvent: (event) => events.push(event) });
  return { clock, events, pipeline, types: () => events.map(({ type }) => type) };
}

const never = (): Promise<never> => new Promise(() => undefined);

describe('a pipeline', () => {
  it('answers what the work answers, and tells of it', async () => {
    const { pipeline, types } = setUp({ name: 'kafka', breaker: {}, bulkhead: {} });
    expect(await pipeline.execute(() => 42)).toBe(42);
    expect(await pipeline.executeOutcome(async () => 'a')).toEqual({ result: 'succeeded', value: 'a', attempts: 1 });
    expect(types()).toEqual(['AttemptFinished', 'CallFinished', 'AttemptFinished', 'CallFinished']);
    expect(pipeline.snapshot()).toMatchObject({ inFlight: 0, totals: { calls: 2, attempts: 2, results: { succeeded: 2 } } });
  });

  it('throws what the work throws, also when it throws at once', async () => {
    const { pipeline } = setUp({ name: 'kafka', breaker: {}, bulkhead: {} });
    const error = new Error('no');
    const failing = (): never => {
      throw error;
    };
    await expect(pipeline.execute(failing)).rejects.toBe(error);
    expect(await pipeline.executeOutcome(failing)).toEqual({ result: 'failed', error, attempts: 1 });
  });

  it('gives up an attempt when its time is over and tells the work', async () => {
    const { pipeline, clock } = setUp({ name: 'kafka', timeout: { attemptMs: 100 }, breaker: {}, bulkhead: {} });
    let signal: AbortSignal | undefined;
    const outcome = pipeline.executeOutcome((context) => {
      ({ signal } = context);
      return never();
    });
    await clock.advance(99);
    expect(signal?.aborted).toBe(false);
    await clock.advance(1);
    expect(await outcome).toMatchObject({ result: 'failed', error: new AttemptTimeoutError('kafka', 100) });
    expect(signal?.reason).toBeInstanceOf(AttemptTimeoutError);
    expect(pipeline.snapshot()).toMatchObject({ inFlight: 1, zombies: 1, totals: { timeouts: 1 } });
  });

  it('refuses work whose deadline has passed', async () => {
    const { pipeline, clock } = setUp({ name: 'kafka' });
    const outcome = await pipeline.executeOutcome(never, { deadline: clock.now() });
    expect(outcome).toEqual({ result: 'rejected', error: new DeadlineExceededError('kafka'), attempts: 0 });
  });

  it('refuses new calls while it drains, and has drained when all work has ended', async () => {
    const { pipeline } = setUp({ name: 'kafka', breaker: {} });
    const { promise, resolve } = Promise.withResolvers<number>();
    const running = pipeline.execute(() => promise);
    let drained = false;
    const drain = pipeline.drain().then(() => (drained = true));
    await expect(pipeline.execute(() => 1)).rejects.toBeInstanceOf(PipelineClosedError);
    expect(drained).toBe(false);
    resolve(7);
    expect(await running).toBe(7);
    await drain;
    expect(drained).toBe(true);
  });
});
