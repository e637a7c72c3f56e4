import { describe, expect, it } from 'vitest';
import { BulkheadFullError, BulkheadWaitExceededError, DeadlineExceededError, PipelineClosedError } from '../errors/errors.ts';
import { failing, never, setUp, times } from '../testing/set-up.ts';
import { settled } from '../testing/virtual-clock.ts';

const spec = { name: 's3', timeout: { attemptMs: 100 }, bulkhead: { concurrencyMax: 2, queueMax: 2, queueWaitMsMax: 50 } } as const;

/** Work that runs until the test ends it. Records the order of starts. */
function workshop() {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  return {
    begun,
    work: (name: string) => (): Promise<string> => {
      begun.push(name);
      return new Promise((resolve) => ends.set(name, () => resolve(name)));
    },
    end: async (name: string) => {
      ends.get(name)!();
      await settled();
    },
  };
}

describe('a bulkhead', () => {
  it('a bulkhead runs calls up to its limit, queues calls in order and rejects the rest', async () => {
    const { pipeline, told } = setUp(spec);
    const { begun, work, end } = workshop();
    const calls = ['a', 'b', 'c', 'd'].map((name) => pipeline.execute(work(name)));
    expect(await pipeline.executeOutcome(work('e'))).toEqual({ result: 'rejected', error: new BulkheadFullError('s3'), attempts: 0 });
    expect(begun).toEqual(['a', 'b']);
    expect(pipeline.snapshot()).toMatchObject({ inFlight: 2, bulkhead: { queued: 2, concurrencyMax: 2, queueMax: 2 } });
    expect(told('BulkheadQueued')).toMatchObject([{ queued: 1 }, { queued: 2 }]);
    await end('b');
    expect(begun).toEqual(['a', 'b', 'c']);
    await end('a');
    await end('c');
    await end('d');
    expect(await Promise.all(calls)).toEqual(['a', 'b', 'c', 'd']);
    expect(pipeline.snapshot()).toMatchObject({ inFlight: 0, bulkhead: { queued: 0 }, totals: { rejections: { 'bulkhead-full': 1 } } });
  });

  it('a waiting call that aborts as a permit is returned gets no permit', async () => {
    const { pipeline } = setUp({ ...spec, bulkhead: { concurrencyMax: 1, queueMax: 5, queueWaitMsMax: 50 } });
    const { begun, work, end } = workshop();
    const running = pipeline.execute(work('a'));
    const controller = new AbortController();
    const waiting = pipeline.executeOutcome(work('b'), { signal: controller.signal });
    await settled();
    const ended = end('a');
    controller.abort('enough');
    await ended;
    expect(await waiting).toMatchObject({ result: 'aborted', error: 'enough' });
    const next = pipeline.execute(work('c'));
    expect(begun).toEqual(['a', 'c']);
    await end('c');
    expect(await Promise.all([running, next])).toEqual(['a', 'c']);
  });

  it('a waiting call that aborts as the limit grows gets no permit', async () => {
    const { pipeline } = setUp({ ...spec, bulkhead: { concurrencyMax: 1, queueMax: 5, queueWaitMsMax: 50 } });
    void pipeline.execute(never);
    const controller = new AbortController();
    const waiting = pipeline.executeOutcome(never, { signal: controller.signal });
    await settled();
    controller.abort('enough');
    pipeline.update({ bulkhead: { concurrencyMax: 2 } });
    expect(await waiting).toMatchObject({ result: 'aborted' });
    expect(await pipeline.execute(() => 1)).toBe(1);
  });

  it('a new call does not overtake waiting calls', async () => {
    const { pipeline } = setUp({ ...spec, bulkhead: { concurrencyMax: 1, queueMax: 5, queueWaitMsMax: 50 } });
    const { begun, work, end } = workshop();
    const calls = ['a', 'b'].map((name) => pipeline.execute(work(name)));
    const ended = end('a');
    calls.push(pipeline.execute(work('c')));
    await ended;
    await end('b');
    await end('c');
    await Promise.all(calls);
    expect(begun).toEqual(['a', 'b', 'c']);
  });

  it('a call waits no longer than queueWaitMsMax', async () => {
    const { pipeline, clock } = setUp(spec);
    const { begun, work, end } = workshop();
    const running = ['a', 'b'].map((name) => pipeline.execute(work(name)));
    const waiting = pipeline.executeOutcome(work('c'));
    await clock.advance(50);
    expect(await waiting).toEqual({ result: 'rejected', error: new BulkheadWaitExceededError('s3'), attempts: 0 });
    await end('a');
    await end('b');
    await Promise.all(running);
    expect(begun).toEqual(['a', 'b']);
    expect(pipeline.snapshot().bulkhead).toMatchObject({ queued: 0 });
  });

  it('a call does not wait past its deadline', async () => {
    const { pipeline, clock } = setUp(spec);
    const { work } = workshop();
    for (const name of ['a', 'b']) pipeline.execute(work(name)).catch(() => undefined);
    const waiting = pipeline.executeOutcome(work('c'), { deadline: clock.now() + 20 });
    await clock.advance(20);
    expect(await waiting).toEqual({ result: 'rejected', error: new DeadlineExceededError('s3'), attempts: 0 });
  });

  it('a wait ends at once when its caller aborts, and its place is free', async () => {
    const { pipeline } = setUp(spec);
    const { begun, work, end } = workshop();
    for (const name of ['a', 'b']) pipeline.execute(work(name)).catch(() => undefined);
    const controller = new AbortController();
    const waiting = pipeline.executeOutcome(work('c'), { signal: controller.signal });
    const behind = pipeline.execute(work('d'));
    controller.abort('enough');
    expect(await waiting).toEqual({ result: 'aborted', error: 'enough', attempts: 0 });
    expect(pipeline.snapshot().bulkhead).toMatchObject({ queued: 1 });
    await end('a');
    await end('d');
    expect(await behind).toBe('d');
    expect(begun).toEqual(['a', 'b', 'd']);
  });

  it('abandoned work holds its permit until it has really ended', async () => {
    const { pipeline, clock, told } = setUp({ ...spec, bulkhead: { concurrencyMax: 1 } });
    const { work, end } = workshop();
    const late = pipeline.executeOutcome(work('a'));
    await clock.advance(100);
    expect(await late).toMatchObject({ result: 'failed', error: { code: 'attempt-timeout' } });
    expect(pipeline.snapshot()).toMatchObject({ inFlight: 1, zombies: 1 });
    await expect(pipeline.execute(work('b'))).rejects.toBeInstanceOf(BulkheadFullError);
    await clock.advance(7);
    await end('a');
    expect(pipeline.snapshot()).toMatchObject({ inFlight: 0, zombies: 0 });
    expect(await pipeline.execute(() => 'c')).toBe('c');
    expect(told('WorkAbandoned')).toMatchObject([{ zombies: 1 }]);
    expect(told('ZombieEnded')).toMatchObject([{ zombies: 0, lateMs: 7 }]);
  });

  it('aborted work holds its permit until it fails', async () => {
    const { pipeline } = setUp({ ...spec, bulkhead: { concurrencyMax: 1 } });
    const controller = new AbortController();
    const { promise, reject } = Promise.withResolvers<never>();
    const aborted = pipeline.executeOutcome(() => promise, { signal: controller.signal });
    controller.abort('enough');
    expect(await aborted).toEqual({ result: 'aborted', error: 'enough', attempts: 1 });
    await expect(pipeline.execute(() => 1)).rejects.toBeInstanceOf(BulkheadFullError);
    reject(new Error('too late'));
    await settled();
    expect(await pipeline.execute(() => 1)).toBe(1);
  });

  it('a waiting call is rejected when the circuit opens', async () => {
    const { pipeline } = setUp({ ...spec, breaker: { minimumCalls: 2 } });
    const { promise, reject } = Promise.withResolvers<never>();
    const running = Array.from({ length: 2 }, () => pipeline.executeOutcome(() => promise));
    const waiting = pipeline.executeOutcome(() => 1);
    reject(new Error('down'));
    expect(await waiting).toMatchObject({ result: 'rejected', error: { code: 'circuit-open', retryAfterMs: 4500 }, attempts: 0 });
    await Promise.all(running);
    expect(pipeline.snapshot()).toMatchObject({ inFlight: 0, bulkhead: { queued: 0 } });
    pipeline.auto();
    expect(await Promise.all([pipeline.execute(() => 1), pipeline.execute(() => 2)])).toEqual([1, 2]);
  });

  it('a full bulkhead does not use up a probe', async () => {
    const { pipeline, clock } = setUp({
      name: 's3',
      breaker: { minimumCalls: 1, breakDurationMs: 10, probes: 1 },
      bulkhead: { concurrencyMax: 1 },
    });
    const hung = pipeline.executeOutcome(never);
    await times(1, () => pipeline.execute(failing));
    void hung;
    pipeline.update({ bulkhead: { concurrencyMax: 2 } });
    await times(1, () => pipeline.execute(failing));
    pipeline.update({ bulkhead: { concurrencyMax: 1 } });
    await clock.advance(10);
    await expect(pipeline.execute(() => 1)).rejects.toBeInstanceOf(BulkheadFullError);
    pipeline.update({ bulkhead: { concurrencyMax: 2 } });
    expect(await pipeline.execute(() => 1)).toBe(1);
    expect(pipeline.snapshot().breaker).toMatchObject({ state: 'closed' });
  });

  it('waiting calls start at once when the limit grows', async () => {
    const { pipeline } = setUp(spec);
    const { begun, work } = workshop();
    for (const name of ['a', 'b', 'c', 'd']) pipeline.execute(work(name)).catch(() => undefined);
    pipeline.update({ bulkhead: { concurrencyMax: 3 } });
    await settled();
    expect(begun).toEqual(['a', 'b', 'c']);
  });

  it('waiting calls are rejected when the pipeline closes', async () => {
    const { pipeline } = setUp(spec);
    const { work } = workshop();
    for (const name of ['a', 'b']) pipeline.execute(work(name)).catch(() => undefined);
    const waiting = pipeline.executeOutcome(work('c'));
    pipeline.close();
    expect(await waiting).toEqual({ result: 'rejected', error: new PipelineClosedError('s3'), attempts: 0 });
  });
});
