import { describe, expect, it } from 'vitest';
import { AttemptTimeoutError, FallbacksFullError, QueueFullError } from '../errors/errors.ts';
import type { QueueEntry } from '../fallback-queue/fallback-queue.ts';
import { MemoryQueue, type StoredEntries } from '../testing/memory-queue.ts';
import { down, failing, never, setUp } from '../testing/set-up.ts';
import { settled } from '../testing/virtual-clock.ts';

const entryOf = (id: string, key = 'user'): QueueEntry => ({ id, key, item: { id } });

describe('the stub fallback', () => {
  it('a stub answers instead of the work and gets the error and the key', async () => {
    const { pipeline, told } = setUp({ name: 'rates', fallbacks: [{ kind: 'stub', value: (error, { key }) => ({ error, key }) }] });
    expect(await pipeline.executeOutcome(failing, { key: 'de' })).toEqual({
      result: 'fell-back',
      fallback: 'stub',
      value: { error: down, key: 'de' },
      error: down,
      attempts: 1,
    });
    expect(await pipeline.execute(() => 1)).toBe(1);
    expect(told('FallbackUsed')).toMatchObject([{ kind: 'stub', error: down }]);
    expect(told('CallFinished').map(({ result }) => result)).toEqual(['fell-back', 'succeeded']);
    expect(pipeline.snapshot().totals).toMatchObject({
      fallbacks: { stub: 1, cache: 0, queue: 0, silent: 0 },
      fallbackFailures: 0,
      results: { 'fell-back': 1, succeeded: 1 },
    });
  });

  it('a stub answers a rejected call', async () => {
    const { pipeline } = setUp({ name: 'rates', breaker: {}, fallbacks: [{ kind: 'stub', value: () => 7 }] });
    pipeline.forceOpen();
    expect(await pipeline.executeOutcome(() => 1)).toMatchObject({
      result: 'fell-back',
      value: 7,
      error: { code: 'circuit-open' },
      attempts: 0,
    });
  });

  it('the stub of a single call comes after the fallbacks of the pipeline', async () => {
    const { pipeline } = setUp({ name: 'rates', fallbacks: [{ kind: 'silent', when: (error) => error !== down }] });
    expect(await pipeline.execute(failing, { stub: () => 7 })).toBe(7);
    expect(await pipeline.execute(() => Promise.reject(new Error('else')), { stub: () => 7 })).toBeUndefined();
    const plain = setUp({ name: 'rates' });
    expect(await plain.pipeline.execute(failing, { stub: (error) => error })).toBe(down);
    expect(await plain.pipeline.executeOutcome(failing, { stub: () => 7 })).toMatchObject({ result: 'fell-back', fallback: 'stub' });
  });
});

describe('the silent fallback', () => {
  it('a silent fallback answers undefined', async () => {
    const { pipeline } = setUp({ name: 'rates', fallbacks: [{ kind: 'silent' }] });
    expect(await pipeline.executeOutcome(failing)).toEqual({
      result: 'fell-back',
      fallback: 'silent',
      value: undefined,
      error: down,
      attempts: 1,
    });
  });
});

describe('fallbacks', () => {
  it('no fallback runs for an aborted call, an invalid request or a closed pipeline', async () => {
    const { pipeline } = setUp({ name: 'rates', classify: () => 'invalid', fallbacks: [{ kind: 'silent' }] });
    expect(await pipeline.executeOutcome(failing)).toEqual({ result: 'failed', error: down, attempts: 1 });
    const controller = new AbortController();
    const aborted = setUp({ name: 'rates', fallbacks: [{ kind: 'silent' }] }).pipeline.executeOutcome(never, { signal: controller.signal });
    controller.abort('enough');
    expect(await aborted).toEqual({ result: 'aborted', error: 'enough', attempts: 1 });
    pipeline.close();
    expect(await pipeline.executeOutcome(() => 1)).toMatchObject({
      result: 'rejected',
      error: { code: 'pipeline-closed', retryable: true },
    });
  });

  it("stub and queue do not run after the caller's deadline", async () => {
    const stored: StoredEntries = { entries: [] };
    let asked = 0;
    const { pipeline, clock } = setUp({
      name: 'rates',
      cache: {},
      fallbacks: [{ kind: 'queue', queue: new MemoryQueue(stored, 3) }, { kind: 'stub', value: () => (asked += 1) }, { kind: 'cache' }],
    });
    await pipeline.execute(() => 7, { key: 'de' });
    const late = { key: 'de', entries: [entryOf('1', 'de')] } as const;
    // Cached and constant answers need no work, so they have no limit.
    expect(await pipeline.executeOutcome(() => 1, { ...late, deadline: clock.now() })).toMatchObject({
      result: 'fell-back',
      fallback: 'cache',
      value: 7,
      attempts: 0,
    });
    const cut = pipeline.executeOutcome(never, { ...late, deadline: clock.now() + 20 });
    await clock.advance(20);
    expect(await cut).toMatchObject({ result: 'fell-back', fallback: 'cache' });
    expect([stored.entries, asked]).toEqual([[], 0]);
    expect(await pipeline.executeOutcome(failing, { ...late, deadline: clock.now() + 20 })).toMatchObject({
      result: 'fell-back',
      fallback: 'queue',
    });
  });

  it('a fallback whose condition throws fails, and the next one runs', async () => {
    const wrong = new Error('a bug');
    const { pipeline, told } = setUp({
      name: 'rates',
      fallbacks: [
        {
          kind: 'silent',
          when: () => {
            throw wrong;
          },
        },
        { kind: 'stub', value: () => 7 },
      ],
    });
    expect(await pipeline.executeOutcome(failing)).toMatchObject({ result: 'fell-back', value: 7, error: down });
    expect(told('FallbackFailed')).toMatchObject([{ kind: 'silent', error: wrong }]);
  });

  it('fallbacks run in order, each for its own errors, until one succeeds', async () => {
    const other = new Error('other');
    const { pipeline, told } = setUp({
      name: 'rates',
      fallbacks: [
        { kind: 'stub', value: () => Promise.reject(other) },
        { kind: 'stub', value: () => 'first', when: (error) => error === other },
        { kind: 'stub', value: () => 'second' },
      ],
    });
    expect(await pipeline.execute(failing)).toBe('second');
    expect(await pipeline.execute(() => Promise.reject(other))).toBe('first');
    expect(told('FallbackFailed')).toMatchObject([
      { kind: 'stub', error: other },
      { kind: 'stub', error: other },
    ]);
    expect(pipeline.snapshot().totals.fallbackFailures).toBe(2);
  });

  it('the call keeps its own error when every fallback fails', async () => {
    const { pipeline } = setUp({ name: 'rates', fallbacks: [{ kind: 'stub', value: () => Promise.reject(new Error('too')) }] });
    expect(await pipeline.executeOutcome(failing)).toEqual({ result: 'failed', error: down, attempts: 1 });
  });

  it('fallbacks have their own concurrency limit, and a later fallback may still answer', async () => {
    const gate = Promise.withResolvers<string>();
    const { pipeline } = setUp({ name: 'rates', fallbackConcurrencyMax: 1, fallbacks: [{ kind: 'stub', value: () => gate.promise }] });
    const first = pipeline.execute(failing);
    await settled();
    expect(pipeline.snapshot().fallbacks).toEqual({ inFlight: 1, concurrencyMax: 1 });
    expect(await pipeline.executeOutcome(failing)).toEqual({
      result: 'rejected',
      error: new FallbacksFullError('rates', { cause: down }),
      attempts: 1,
    });
    gate.resolve('late');
    expect(await first).toBe('late');
    expect(await pipeline.execute(failing)).toBe('late');
    expect(pipeline.snapshot()).toMatchObject({ fallbacks: { inFlight: 0 }, totals: { rejections: { 'fallbacks-full': 1 } } });

    const chained = setUp({ name: 'rates', fallbackConcurrencyMax: 1, fallbacks: [{ kind: 'stub', value: never }, { kind: 'silent' }] });
    void chained.pipeline.execute(failing);
    await settled();
    expect(await chained.pipeline.executeOutcome(failing)).toMatchObject({ result: 'fell-back', fallback: 'silent' });
  });

  it('a fallback fails after the attempt timeout but keeps its place until it has ended', async () => {
    const { pipeline, clock } = setUp({
      name: 'rates',
      timeout: { attemptMs: 100 },
      fallbacks: [
        { kind: 'stub', value: (_, { signal }) => new Promise((resolve) => signal!.addEventListener('abort', () => resolve(0))) },
        { kind: 'silent' },
      ],
    });
    const outcome = pipeline.executeOutcome(failing);
    await clock.advance(99);
    expect(pipeline.snapshot().fallbacks.inFlight).toBe(1);
    await clock.advance(1);
    expect(await outcome).toMatchObject({ fallback: 'silent' });
    expect(pipeline.snapshot().fallbacks.inFlight).toBe(0);
  });

  it('a fallback ends when the caller aborts', async () => {
    const { pipeline } = setUp({ name: 'rates', fallbacks: [{ kind: 'stub', value: never }, { kind: 'silent' }] });
    const controller = new AbortController();
    const outcome = pipeline.executeOutcome(failing, { signal: controller.signal });
    await settled();
    controller.abort('enough');
    expect(await outcome).toEqual({ result: 'aborted', error: 'enough', attempts: 1 });
  });
});

describe('a fallback', () => {
  it('no fallback starts for a caller that has aborted', async () => {
    const controller = new AbortController();
    let asked = false;
    const { pipeline, clock } = setUp({
      name: 'rates',
      fallbacks: [
        {
          kind: 'stub',
          value: () => (asked = true),
          when: () => {
            controller.abort('enough');
            return true;
          },
        },
      ],
    });
    expect(await pipeline.executeOutcome(failing, { signal: controller.signal })).toEqual({
      result: 'aborted',
      error: 'enough',
      attempts: 1,
    });
    expect(asked).toBe(false);
    expect(pipeline.snapshot().fallbacks.inFlight).toBe(0);
    pipeline.close();
    expect(clock.pending).toBe(0);
  });

  it('a fallback gets its own signal and leaves no timer', async () => {
    const seen: (AbortSignal | undefined)[] = [];
    const { pipeline, clock, events } = setUp({
      name: 'rates',
      fallbacks: [{ kind: 'stub', value: (_, { signal }) => seen.push(signal) }],
    });
    await pipeline.execute(failing);
    expect(seen[0]?.aborted).toBe(false);
    expect(events.find(({ type }) => type === 'FallbackUsed')).toEqual({
      type: 'FallbackUsed',
      kind: 'stub',
      error: down,
      pipeline: 'rates',
      atMs: 1_000_000,
    });
    pipeline.close();
    expect(clock.pending).toBe(0);
  });

  it('no fallback runs for a closed pipeline', async () => {
    const { pipeline } = setUp({ name: 'rates', fallbacks: [{ kind: 'silent' }] });
    pipeline.close();
    expect(await pipeline.executeOutcome(() => 1)).toMatchObject({ result: 'rejected', error: { code: 'pipeline-closed' } });
  });

  it('draining waits for a fallback even after its call has ended', async () => {
    const gate = Promise.withResolvers<number>();
    const { pipeline, clock } = setUp({
      name: 'rates',
      timeout: { attemptMs: 100 },
      fallbacks: [{ kind: 'stub', value: () => gate.promise }],
    });
    const outcome = pipeline.executeOutcome(failing);
    await clock.advance(100);
    await outcome;
    let drained = false;
    const drain = pipeline.drain().then(() => (drained = true));
    await settled();
    expect(drained).toBe(false);
    gate.resolve(1);
    await drain;
    expect(pipeline.snapshot().fallbacks.inFlight).toBe(0);
  });

  it('a fallback that takes too long fails with a timeout', async () => {
    const { pipeline, clock, told } = setUp({ name: 'rates', timeout: { attemptMs: 100 }, fallbacks: [{ kind: 'stub', value: never }] });
    const outcome = pipeline.executeOutcome(failing);
    await clock.advance(100);
    expect(await outcome).toMatchObject({ result: 'failed', error: down });
    expect(told('FallbackFailed')).toMatchObject([{ kind: 'stub', error: new AttemptTimeoutError('rates', 100) }]);
  });
});

describe('the queue fallback', () => {
  const stored: StoredEntries = { entries: [] };
  const make = (entriesMax = 3) => {
    stored.entries = [];
    return setUp({
      name: 'kafka',
      timeout: { attemptMs: 100 },
      breaker: { minimumCalls: 1, breakDurationMs: 50 },
      fallbacks: [{ kind: 'queue', queue: new MemoryQueue(stored, entriesMax) }],
    });
  };

  it('the queue stores the work and the caller gets a receipt', async () => {
    const { pipeline } = make();
    expect(await pipeline.executeOutcome(failing, { entries: [entryOf('1')] })).toMatchObject({
      result: 'fell-back',
      fallback: 'queue',
      value: { queued: true, ids: ['1'] },
      error: down,
    });
    expect(stored.entries).toEqual([entryOf('1')]);
  });

  it('the queue stores the entries that a function finds in the error of the work', async () => {
    const { pipeline } = make();
    const outcome = await pipeline.executeOutcome(failing, { entries: (error) => (error === down ? [entryOf('1'), entryOf('2')] : []) });
    expect(outcome).toMatchObject({ result: 'fell-back', value: { queued: true, ids: ['1', '2'] } });
    expect(stored.entries).toEqual([entryOf('1'), entryOf('2')]);
  });

  it('the queue is skipped without an entry and when it is full', async () => {
    const { pipeline, told } = make(0);
    expect(await pipeline.executeOutcome(failing)).toMatchObject({ result: 'failed', error: down });
    pipeline.auto();
    expect(await pipeline.executeOutcome(failing, { entries: () => [] })).toMatchObject({ result: 'failed', error: down });
    pipeline.auto();
    expect(await pipeline.executeOutcome(failing, { entries: [entryOf('1')] })).toMatchObject({ result: 'failed', error: down });
    expect(told('FallbackFailed')).toMatchObject([{ kind: 'queue', error: new QueueFullError(0) }]);
  });

  it('a replay uses the same policies and does not queue failed work again', async () => {
    const { pipeline, clock, told } = make();
    for (const id of ['1', '2']) await pipeline.execute(failing, { entries: [entryOf(id)] });
    expect(await pipeline.replay(() => 1)).toEqual({ replayed: 0, kept: 2 });
    await clock.advance(50);
    const done: string[] = [];
    const replay = pipeline.replay((group, { attempt }) => done.push(`${group.map(({ id }) => id).join('+')}.${attempt}`));
    expect(await replay).toEqual({ replayed: 2, kept: 0 });
    expect(done).toEqual(['1+2.0']);
    expect(told('QueueReplayed')).toMatchObject([
      { replayed: 0, kept: 2 },
      { replayed: 2, kept: 0 },
    ]);
    expect(pipeline.snapshot().totals).toMatchObject({
      calls: 4,
      rejections: { 'circuit-open': 2 },
      results: { succeeded: 1, 'fell-back': 2, rejected: 1 },
    });
  });

  it('a replay retries the work, because queued work is idempotent', async () => {
    stored.entries = [entryOf('1')];
    const { pipeline, clock } = setUp({
      name: 'kafka',
      retry: { attemptsMax: 2, baseMs: 0 },
      fallbacks: [{ kind: 'queue', queue: new MemoryQueue(stored, 3) }],
    });
    const replay = pipeline.replay((_, { attempt }) => (attempt === 0 ? failing() : attempt));
    await clock.advance(0);
    expect(await replay).toEqual({ replayed: 1, kept: 0 });
    expect(pipeline.snapshot().totals).toMatchObject({ calls: 1, attempts: 2, results: { succeeded: 1 } });
  });

  it('a replay ends when its signal aborts', async () => {
    const { pipeline, clock } = make();
    for (const id of ['1', '2']) await pipeline.execute(failing, { entries: [entryOf(id)] });
    await clock.advance(50);
    const controller = new AbortController();
    const replay = pipeline.replay(never, { signal: controller.signal });
    await settled();
    controller.abort();
    expect(await replay).toEqual({ replayed: 0, kept: 2 });
  });

  it('replay throws without a queue fallback', async () => {
    const { pipeline } = setUp({ name: 'kafka' });
    await expect(pipeline.replay(() => 1)).rejects.toThrow('has no queue');
  });
});
