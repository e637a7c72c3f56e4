import { describe, expect, it } from 'vitest';
import { AnswerCache } from './answer-cache.ts';
import { AttemptTimeoutError } from '../errors/errors.ts';
import { down, failing, never, setUp } from '../testing/set-up.ts';
import { settled } from '../testing/virtual-clock.ts';

const spec = { name: 'reports', cache: { freshMs: 100, staleMsMax: 1000, entriesMax: 2 }, fallbacks: [{ kind: 'cache' }] } as const;
const de = { key: 'de' } as const;

describe('AnswerCache', () => {
  it('a full cache evicts the least recently used answer', () => {
    const cache = new AnswerCache(2);
    cache.set('a', 1, 0);
    cache.set('b', 2, 0);
    expect(cache.get('a', 10, 0)).toEqual({ value: 1, atMs: 0 });
    cache.set('c', 3, 0);
    expect(['a', 'b', 'c'].map((key) => cache.get(key, 10, 0)?.value)).toEqual([1, undefined, 3]);
    cache.set('a', 4, 5);
    expect(cache.size).toBe(2);
    cache.resize(1);
    expect(cache.get('a', 10, 5)).toEqual({ value: 4, atMs: 5 });
    expect(cache.size).toBe(1);
  });

  it('the cache returns no answer that has reached its maximum age', () => {
    const cache = new AnswerCache(2);
    cache.set('a', 1, 0);
    expect(cache.get('a', 10, 9)).toBeDefined();
    expect(cache.get('a', 10, 10)).toBeUndefined();
    expect(cache.get('a', 0, 0)).toBeUndefined();
  });
});

describe('a pipeline with a cache', () => {
  it('the pipeline returns a fresh answer of the same key without a call', async () => {
    const { pipeline, clock, told } = setUp(spec);
    expect(await pipeline.execute(() => 1, de)).toBe(1);
    await clock.advance(99);
    expect(await pipeline.executeOutcome(() => 2, de)).toEqual({ result: 'cached', value: 1, ageMs: 99 });
    expect(await pipeline.execute(() => 3, { key: 'fr' })).toBe(3);
    expect(await pipeline.execute(() => 4)).toBe(4);
    await clock.advance(1);
    expect(await pipeline.execute(() => 5, de)).toBe(5);
    expect(told('CacheHit')).toMatchObject([{ ageMs: 99 }]);
    expect(pipeline.snapshot()).toMatchObject({
      cache: { entries: 2, entriesMax: 2, hits: 1 },
      totals: { attempts: 4, results: { cached: 1, succeeded: 4 } },
    });
  });

  it('the pipeline returns a stale answer with its age when the call fails, up to the maximum age', async () => {
    const { pipeline, clock, told } = setUp(spec);
    await pipeline.execute(() => 1, de);
    await clock.advance(999);
    expect(await pipeline.executeOutcome(failing, de)).toEqual({
      result: 'fell-back',
      fallback: 'cache',
      value: 1,
      ageMs: 999,
      error: down,
      attempts: 1,
    });
    expect(told('FallbackUsed')).toMatchObject([{ kind: 'cache', ageMs: 999 }]);
    await clock.advance(1);
    expect(await pipeline.executeOutcome(failing, de)).toEqual({ result: 'failed', error: down, attempts: 1 });
    expect(await pipeline.executeOutcome(failing, { key: 'fr' })).toMatchObject({ result: 'failed' });
    expect(await pipeline.executeOutcome(failing)).toMatchObject({ result: 'failed' });
    expect([told('FallbackFailed'), pipeline.snapshot().totals.fallbackFailures]).toEqual([[], 0]);
  });

  it('the pipeline caches only cacheable answers and shows no function in its settings', async () => {
    const { pipeline } = setUp({
      ...spec,
      cache: { ...spec.cache, freshMs: 0, isCacheable: (answer: unknown) => (answer as number) < 10 },
    });
    expect(await pipeline.execute(() => 1, de)).toBe(1);
    expect(await pipeline.execute(() => 10, de)).toBe(10);
    expect(await pipeline.executeOutcome(failing, de)).toMatchObject({ result: 'fell-back', value: 1 });
    expect(await pipeline.execute(() => 10, { key: 'fr' })).toBe(10);
    expect(await pipeline.executeOutcome(failing, { key: 'fr' })).toMatchObject({ result: 'failed', error: down });
    expect(pipeline.snapshot().totals).toMatchObject({ fallbacks: { cache: 1 }, results: { 'fell-back': 1, failed: 1 } });
    expect(pipeline.settings().cache).toEqual({ freshMs: 0, staleMsMax: 1000, entriesMax: 2, coalesce: true });
  });

  it('the pipeline caches no failure', async () => {
    const { pipeline } = setUp(spec);
    await pipeline.executeOutcome(failing, de);
    expect(await pipeline.execute(() => 1, de)).toBe(1);
  });

  it('the pipeline makes every call and caches the answers when freshMs is 0', async () => {
    const { pipeline } = setUp({ name: 'reports', cache: {}, fallbacks: [{ kind: 'cache' }] });
    expect(await pipeline.execute(() => 1, de)).toBe(1);
    expect(await pipeline.execute(() => 2, de)).toBe(2);
    expect(await pipeline.execute(failing, de)).toBe(2);
  });

  it('the cache shrinks when its size is reduced at run time', async () => {
    const { pipeline } = setUp(spec);
    await pipeline.execute(() => 1, de);
    await pipeline.execute(() => 1, { key: 'fr' });
    pipeline.update({ cache: { entriesMax: 1 } });
    expect(pipeline.snapshot().cache).toMatchObject({ entries: 1, entriesMax: 1 });
  });
});

describe('concurrent calls of one key', () => {
  it('concurrent calls of one key share one call and its answer', async () => {
    const { pipeline, told } = setUp(spec);
    const { promise, resolve } = Promise.withResolvers<number>();
    let begun = 0;
    const calls = Array.from({ length: 3 }, () =>
      pipeline.executeOutcome(() => {
        begun += 1;
        return promise;
      }, de),
    );
    await settled();
    expect(begun).toBe(1);
    resolve(1);
    expect(await Promise.all(calls)).toEqual(Array.from({ length: 3 }, () => ({ result: 'succeeded', value: 1, attempts: 1 })));
    expect(told('CallCoalesced')).toMatchObject([{ key: 'de' }, { key: 'de' }]);
    expect(pipeline.snapshot()).toMatchObject({ cache: { coalesced: 2 }, totals: { calls: 3, attempts: 1, results: { succeeded: 3 } } });
    expect(await pipeline.executeOutcome(() => 2, de)).toMatchObject({ result: 'cached', value: 1 });
  });

  it('concurrent calls share the failure, and the next call starts new work', async () => {
    const { pipeline } = setUp(spec);
    const calls = Array.from({ length: 2 }, () => pipeline.executeOutcome(failing, de));
    expect(await Promise.all(calls)).toEqual(Array.from({ length: 2 }, () => ({ result: 'failed', error: down, attempts: 1 })));
    expect(pipeline.snapshot().totals.attempts).toBe(1);
    expect(await pipeline.execute(() => 1, de)).toBe(1);
  });

  it('concurrent calls run separately when coalescing is off', async () => {
    const { pipeline } = setUp({ name: 'reports', cache: { coalesce: false } });
    await Promise.all([pipeline.execute(() => 1, de), pipeline.execute(() => 1, de)]);
    expect(pipeline.snapshot().totals.attempts).toBe(2);
  });

  it('the shared work continues when one caller aborts, even the first one', async () => {
    const { pipeline } = setUp(spec);
    const controller = new AbortController();
    const { promise, resolve } = Promise.withResolvers<number>();
    let shared: AbortSignal | undefined;
    const first = pipeline.executeOutcome(
      ({ signal }) => {
        shared = signal;
        return promise;
      },
      { ...de, signal: controller.signal },
    );
    const second = pipeline.executeOutcome(never, de);
    controller.abort('enough');
    expect(await first).toEqual({ result: 'aborted', error: 'enough', attempts: 1 });
    expect(shared?.aborted).toBe(false);
    resolve(1);
    expect(await second).toMatchObject({ result: 'succeeded', value: 1 });
  });

  it('the shared work is aborted when its last caller aborts, and the next call starts new work', async () => {
    const { pipeline } = setUp(spec);
    const controllers = [new AbortController(), new AbortController()] as const;
    let shared: AbortSignal | undefined;
    const calls = controllers.map(({ signal }) =>
      pipeline.executeOutcome(
        (context) => {
          shared = context.signal;
          return never();
        },
        { ...de, signal },
      ),
    );
    controllers[0].abort('enough');
    await settled();
    expect(shared?.aborted).toBe(false);
    controllers[1].abort('too');
    await Promise.all(calls);
    expect(shared?.reason).toBe('too');
    expect(await pipeline.execute(() => 1, de)).toBe(1);
  });

  it('each caller waits no longer than its own deadline', async () => {
    const { pipeline, clock } = setUp({ name: 'reports', cache: {} });
    const patient = pipeline.executeOutcome(async () => await new Promise((resolve) => clock.setTimeout(() => resolve(1), 50)), de);
    const hasty = pipeline.executeOutcome(never, { ...de, deadline: clock.now() + 20 });
    await clock.advance(50);
    expect(await hasty).toMatchObject({ result: 'failed', error: new AttemptTimeoutError('reports', 20) });
    expect(await patient).toMatchObject({ result: 'succeeded', value: 1 });
    expect(await pipeline.executeOutcome(never, { ...de, deadline: clock.now() })).toMatchObject({
      result: 'rejected',
      error: { code: 'deadline-exceeded' },
    });
  });

  it('the shared work is aborted when its last caller runs out of time', async () => {
    const { pipeline, clock } = setUp({ name: 'reports', cache: {} });
    let shared: AbortSignal | undefined;
    const hasty = pipeline.executeOutcome(
      (context) => {
        shared = context.signal;
        return never();
      },
      { ...de, deadline: clock.now() + 20 },
    );
    await clock.advance(20);
    expect(await hasty).toMatchObject({ result: 'failed', error: new AttemptTimeoutError('reports', 20) });
    expect(shared?.aborted).toBe(true);
    expect(pipeline.snapshot()).toMatchObject({ zombies: 1, totals: { timeouts: 1 } });
  });

  it.each([
    ['shared work that hangs opens the circuit when no caller can wait longer', { timeout: { attemptMs: 200 } }, 60, 'open', 3],
    ['shared work does not count when no caller waited long enough', { timeout: { attemptMs: 200 } }, 50, 'closed', 0],
    [
      'shared work that hangs opens the circuit when the attempt timeout equals the total timeout',
      { timeout: { attemptMs: 60, totalMs: 60 } },
      undefined,
      'open',
      3,
    ],
  ] as const)('%s', async (_what, limits, deadlineMs, state, calls) => {
    const { pipeline, clock } = setUp({
      name: 'reports',
      cache: {},
      breaker: { minimumCalls: 3, slowCallMs: 55, slowCallRatio: 0.8, breakDurationJitter: 0 },
      ...limits,
    });
    for (let n = 0; n < 3; n += 1) {
      const hung = pipeline.executeOutcome(never, { ...de, ...(deadlineMs === undefined ? {} : { deadline: clock.now() + deadlineMs }) });
      await clock.advance(60);
      expect(await hung).toMatchObject({ result: 'failed', error: { code: 'attempt-timeout' } });
    }
    expect(pipeline.snapshot().breaker).toMatchObject({ state, calls });
  });

  it('the breaker does not count shared work whose last caller aborts', async () => {
    const { pipeline, clock } = setUp({ name: 'reports', cache: {}, breaker: { minimumCalls: 1, slowCallMs: 10 } });
    const controller = new AbortController();
    const hung = pipeline.executeOutcome(never, { ...de, signal: controller.signal });
    await clock.advance(20);
    controller.abort('enough');
    expect(await hung).toMatchObject({ result: 'aborted' });
    expect(pipeline.snapshot()).toMatchObject({ breaker: { state: 'closed', calls: 0 }, totals: { timeouts: 0 } });
  });

  it('a call ends at once when its own work aborts it', async () => {
    const { pipeline, clock } = setUp({ name: 'reports', cache: {} });
    const controller = new AbortController();
    const hung = pipeline.executeOutcome(
      () => {
        controller.abort('enough');
        return never();
      },
      { ...de, signal: controller.signal },
    );
    await clock.advance(0);
    expect(await hung).toEqual({ result: 'aborted', error: 'enough', attempts: 1 });
    await clock.advance(10_000);
    expect([pipeline.snapshot().totals.timeouts, clock.pending]).toEqual([0, 0]);
  });

  it('the shared work runs with the priority of its first caller', async () => {
    const load = { eventLoopDelayMs: () => 1000, heapUsedRatio: () => 0 };
    const { pipeline } = setUp({ name: 'reports', cache: {}, shed: {} }, { load });
    expect(await pipeline.executeOutcome(() => 1, { ...de, priority: 'critical' })).toMatchObject({ result: 'succeeded', value: 1 });
    expect(await pipeline.executeOutcome(() => 1, de)).toMatchObject({ result: 'rejected', error: { code: 'shed' }, attempts: 0 });
    expect(pipeline.snapshot().totals).toMatchObject({ calls: 2, rejections: { shed: 1 } });
  });

  it('the shared work is not aborted after all callers have the answer', async () => {
    const { pipeline, clock } = setUp(spec);
    let shared: AbortSignal | undefined;
    await pipeline.execute((context) => {
      shared = context.signal;
      return 1;
    }, de);
    await settled();
    expect(shared?.aborted).toBe(false);
    pipeline.close();
    expect(clock.pending).toBe(0);
  });

  it('no work starts for a caller that has aborted already', async () => {
    const { pipeline } = setUp(spec);
    expect(await pipeline.executeOutcome(() => 1, { ...de, signal: AbortSignal.abort('enough') })).toEqual({
      result: 'aborted',
      error: 'enough',
      attempts: 0,
    });
    expect(pipeline.snapshot().totals.attempts).toBe(0);
  });
});
