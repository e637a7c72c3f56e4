import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { createPipeline } from './create-pipeline.ts';
import { AttemptTimeoutError, DeadlineExceededError, PipelineClosedError } from '../errors/errors.ts';
import { MemoryQueue } from '../testing/memory-queue.ts';
import { down, failing, never, setUp, times } from '../testing/set-up.ts';
import { VirtualClock, settled } from '../testing/virtual-clock.ts';

const throwing = (): never => {
  throw down;
};

describe('a pipeline', () => {
  it('a pipeline returns the answer of the work and emits events', async () => {
    const { pipeline, events, clock } = setUp({ name: 'kafka', dependency: 'broker', breaker: {}, bulkhead: {} });
    expect([pipeline.name, pipeline.dependency]).toEqual(['kafka', 'broker']);
    expect(await pipeline.execute(() => 42)).toBe(42);
    const late = pipeline.executeOutcome(async () => await new Promise<string>((resolve) => clock.setTimeout(() => resolve('a'), 7)));
    await clock.advance(7);
    expect(await late).toEqual({ result: 'succeeded', value: 'a', attempts: 1 });
    expect(events).toStrictEqual([
      { type: 'AttemptFinished', pipeline: 'kafka', atMs: 1_000_000, attempt: 0, result: 'succeeded', durationMs: 0, slow: false },
      { type: 'CallFinished', pipeline: 'kafka', atMs: 1_000_000, result: 'succeeded', durationMs: 0, attempts: 1 },
      { type: 'AttemptFinished', pipeline: 'kafka', atMs: 1_000_007, attempt: 0, result: 'succeeded', durationMs: 7, slow: false },
      { type: 'CallFinished', pipeline: 'kafka', atMs: 1_000_007, result: 'succeeded', durationMs: 7, attempts: 1 },
    ]);
    expect(pipeline.snapshot()).toMatchObject({
      name: 'kafka',
      dependency: 'broker',
      inFlight: 0,
      zombies: 0,
      closed: false,
      totals: { calls: 2, attempts: 2, results: { succeeded: 2 } },
    });
  });

  it('a pipeline throws the error of the work, even a synchronous one', async () => {
    const { pipeline, told } = setUp({ name: 'kafka', breaker: {}, bulkhead: {} });
    await expect(pipeline.execute(throwing)).rejects.toBe(down);
    expect(await pipeline.executeOutcome(failing)).toEqual({ result: 'failed', error: down, attempts: 1 });
    expect(told('AttemptFinished')).toMatchObject(
      Array.from({ length: 2 }, () => ({ result: 'failed', error: down, errorClass: 'transient' })),
    );
    expect(told('CallFinished')).toMatchObject(Array.from({ length: 2 }, () => ({ result: 'failed', error: down })));
  });

  it('a pipeline uses the clock of the machine by default', async () => {
    const pipeline = createPipeline({ name: 'kafka', timeout: { attemptMs: 1 }, retry: { attemptsMax: 2, baseMs: 1 } });
    expect(await pipeline.executeOutcome(never, { idempotent: true })).toMatchObject({
      result: 'failed',
      error: new AttemptTimeoutError('kafka', 1),
      attempts: 2,
    });
    pipeline.close();
  });

  it('an attempt that takes too long fails, and the signal of its work aborts', async () => {
    const { pipeline, clock, events } = setUp({ name: 'kafka', timeout: { attemptMs: 100 }, breaker: {}, bulkhead: {} });
    let signal: AbortSignal | undefined;
    const outcome = pipeline.executeOutcome((context) => {
      ({ signal } = context);
      expect(context.deadline).toBe(1_000_100);
      return never();
    });
    await clock.advance(99);
    expect(signal?.aborted).toBe(false);
    await clock.advance(1);
    expect(await outcome).toEqual({ result: 'failed', error: new AttemptTimeoutError('kafka', 100), attempts: 1 });
    expect(signal?.reason).toBeInstanceOf(AttemptTimeoutError);
    expect(events.map(({ type }) => type)).toEqual(['WorkAbandoned', 'AttemptFinished', 'CallFinished']);
    expect(events).toMatchObject([{ zombies: 1 }, { result: 'timed-out', durationMs: 100, slow: true }, { result: 'failed' }]);
    expect(pipeline.snapshot()).toMatchObject({ inFlight: 1, zombies: 1, totals: { timeouts: 1 } });
    expect(pipeline.inFlight).toBe(1);
  });

  it('an attempt has one signal and leaves no timer after its end', async () => {
    const { pipeline, clock } = setUp({ name: 'kafka', timeout: { attemptMs: 100 } });
    expect(await pipeline.execute((context) => context.signal === context.signal, { deadline: clock.now() + 5 })).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it('work that reads its signal after an abort gets an aborted signal', async () => {
    const { pipeline } = setUp({ name: 'kafka' });
    const controller = new AbortController();
    const late = Promise.withResolvers<void>();
    let seen: unknown;
    const outcome = pipeline.executeOutcome(
      async (context) => {
        await late.promise;
        seen = context.signal.reason;
      },
      { signal: controller.signal },
    );
    controller.abort('enough');
    expect(await outcome).toEqual({ result: 'aborted', error: 'enough', attempts: 1 });
    late.resolve();
    await settled();
    expect(seen).toBe('enough');
  });

  it("a call ends when its own work aborts the caller's signal", async () => {
    const { pipeline } = setUp({ name: 'kafka', breaker: {} });
    const controller = new AbortController();
    const outcome = await pipeline.executeOutcome(
      () => {
        controller.abort('enough');
        return 1;
      },
      { signal: controller.signal },
    );
    expect(outcome).toEqual({ result: 'aborted', error: 'enough', attempts: 1 });
    await settled();
    expect(pipeline.snapshot()).toMatchObject({ inFlight: 0, zombies: 0, totals: { results: { aborted: 1, succeeded: 0 } } });
  });

  it("no work starts after the caller's abort or deadline", async () => {
    const { pipeline, clock, told } = setUp({ name: 'kafka', breaker: {} });
    let asked = false;
    const work = (): boolean => (asked = true);
    expect(await pipeline.executeOutcome(work, { signal: AbortSignal.abort('enough') })).toEqual({
      result: 'aborted',
      error: 'enough',
      attempts: 0,
    });
    expect(await pipeline.executeOutcome(work, { deadline: clock.now() })).toEqual({
      result: 'rejected',
      error: new DeadlineExceededError('kafka'),
      attempts: 0,
    });
    expect(asked).toBe(false);
    expect(told('AttemptFinished')).toMatchObject([{ result: 'aborted', error: 'enough' }]);
    expect(pipeline.snapshot().totals).toMatchObject({
      attempts: 0,
      results: { aborted: 1, rejected: 1 },
      rejections: { 'deadline-exceeded': 1 },
    });
  });

  it('a deadline refers to the time of day, not to the monotonic clock', async () => {
    const { pipeline, clock } = setUp({ name: 'kafka' });
    clock.stepTimeOfDay(5000);
    const outcome = pipeline.executeOutcome(never, { deadline: clock.now() + 30 });
    await clock.advance(30);
    expect(await outcome).toMatchObject({ error: new AttemptTimeoutError('kafka', 30) });
  });

  it('a call takes no longer than its total timeout', async () => {
    const { pipeline, clock } = setUp({
      name: 'kafka',
      timeout: { attemptMs: 80, totalMs: 100 },
      bulkhead: { concurrencyMax: 1, queueMax: 1 },
    });
    const first = pipeline.executeOutcome(async () => await new Promise((resolve) => clock.setTimeout(() => resolve(1), 40)), {
      deadline: clock.now() + 1_000_000,
    });
    const second = pipeline.executeOutcome(never);
    await clock.advance(100);
    expect(await first).toMatchObject({ result: 'succeeded' });
    expect(await second).toMatchObject({ error: new AttemptTimeoutError('kafka', 60) });
  });
});

describe('draining', () => {
  it('draining rejects new calls and waits for all work, zombies included', async () => {
    const { pipeline, clock } = setUp({ name: 'kafka', timeout: { attemptMs: 100 }, breaker: {}, fallbacks: [{ kind: 'silent' }] });
    const { promise, resolve } = Promise.withResolvers<number>();
    const running = pipeline.execute(() => promise);
    let drained = false;
    const drain = pipeline.drain().then(() => (drained = true));
    await expect(pipeline.execute(() => 1)).rejects.toBeInstanceOf(PipelineClosedError);
    await clock.advance(100);
    expect(await running).toBeUndefined();
    await settled();
    expect(drained).toBe(false);
    expect(pipeline.snapshot().closed).toBe(true);
    resolve(7);
    await drain;
    await pipeline.drain();
  });

  it('draining waits for fallbacks', async () => {
    const gate = Promise.withResolvers<number>();
    const { pipeline } = setUp({ name: 'kafka', fallbacks: [{ kind: 'stub', value: () => gate.promise }] });
    const running = pipeline.execute(failing);
    await settled();
    let drained = false;
    const drain = pipeline.drain().then(() => (drained = true));
    await settled();
    expect(drained).toBe(false);
    gate.resolve(1);
    expect(await running).toBe(1);
    await drain;
  });

  it('draining lets waiting and retrying calls finish', async () => {
    const { pipeline, clock } = setUp({ name: 'kafka', retry: {}, bulkhead: { concurrencyMax: 1, queueMax: 1 } });
    const calls = Promise.all(
      [1, 2].map((value) => pipeline.execute(({ attempt }) => (attempt === 0 ? failing() : value), { idempotent: true })),
    );
    const drain = pipeline.drain();
    await clock.advance(1000);
    expect(await calls).toEqual([1, 2]);
    await drain;
  });

  it('draining leaves no listener and no timer', async () => {
    const { pipeline, clock } = setUp({ name: 'kafka' });
    const { promise, resolve } = Promise.withResolvers<number>();
    const running = pipeline.execute(() => promise);
    const controller = new AbortController();
    const drain = pipeline.drain({ signal: controller.signal });
    resolve(1);
    await Promise.all([running, drain]);
    expect([getEventListeners(controller.signal, 'abort').length, clock.pending]).toEqual([0, 0]);
  });

  it('draining ends when its signal aborts', async () => {
    const { pipeline } = setUp({ name: 'kafka' });
    void pipeline.executeOutcome(never);
    const controller = new AbortController();
    const drain = pipeline.drain({ signal: controller.signal });
    controller.abort(new Error('killed'));
    await expect(drain).rejects.toThrow('killed');
    await expect(pipeline.drain({ signal: controller.signal })).rejects.toThrow('killed');
  });
});

describe('closing', () => {
  it('closing rejects new calls, fails waiting ones and does not touch running work', async () => {
    const { pipeline, clock, told } = setUp({ name: 'kafka', timeout: { attemptMs: 500 }, retry: { baseMs: 1000 } });
    const { promise, resolve } = Promise.withResolvers<number>();
    const running = pipeline.executeOutcome(() => promise, { idempotent: true });
    const waiting = pipeline.executeOutcome(failing, { idempotent: true });
    await settled();
    pipeline.close();
    pipeline.close();
    expect(await waiting).toEqual({ result: 'rejected', error: new PipelineClosedError('kafka'), attempts: 1 });
    expect(await pipeline.executeOutcome(() => 1, { idempotent: true })).toMatchObject({
      result: 'rejected',
      error: { code: 'pipeline-closed' },
    });
    resolve(7);
    expect(await running).toMatchObject({ value: 7 });
    expect(told('PipelineClosed')).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  it('a closed pipeline starts no further attempt', async () => {
    const { pipeline } = setUp({ name: 'kafka', retry: { baseMs: 0 } });
    const { promise, reject } = Promise.withResolvers<never>();
    const running = pipeline.executeOutcome(() => promise, { idempotent: true });
    pipeline.close();
    void pipeline.drain();
    reject(down);
    expect(await running).toEqual({ result: 'failed', error: down, attempts: 1 });
  });

  it('closing an idle pipeline leaves no timer', async () => {
    const { pipeline, clock } = setUp({ name: 'kafka', breaker: { minimumCalls: 1 }, bulkhead: {} });
    await times(3, () => pipeline.execute(failing));
    expect(clock.pending).toBe(1);
    pipeline.close();
    expect(clock.pending).toBe(0);
  });

  it('closing fails the attempts that chaos hangs', async () => {
    const { pipeline } = setUp({ name: 'kafka', chaos: { allowed: true, rules: [{ kind: 'hang' }] } });
    const outcome = pipeline.executeOutcome(() => 1);
    pipeline.close();
    expect(await outcome).toMatchObject({ result: 'failed', error: { code: 'chaos-fault' } });
  });

  it('closing stops a replay', async () => {
    const stored = { entries: [{ id: '1', key: 'a', item: null }] };
    const { pipeline } = setUp({ name: 'kafka', fallbacks: [{ kind: 'queue', queue: new MemoryQueue(stored, 9) }] });
    pipeline.close();
    expect(await pipeline.replay(() => 1)).toEqual({ replayed: 0, kept: 1 });
  });
});

describe('listeners', () => {
  it('listeners subscribe to all events or to one name and can unsubscribe', async () => {
    const pipeline = createPipeline({ name: 'kafka' }, { clock: new VirtualClock() });
    const all: string[] = [];
    const some: number[] = [];
    const endAll = pipeline.events.subscribe(({ type }) => all.push(type));
    const endSome = pipeline.events.on('CallFinished', ({ attempts }) => some.push(attempts));
    await pipeline.execute(() => 1);
    endAll();
    await pipeline.execute(() => 1);
    endSome();
    await pipeline.execute(() => 1);
    expect(all).toEqual(['AttemptFinished', 'CallFinished']);
    expect(some).toEqual([1, 1]);
  });

  it('a listener that throws affects neither the call nor other listeners', async () => {
    const pipeline = createPipeline(
      { name: 'kafka' },
      {
        onEvent: () => {
          throw new Error('listener');
        },
      },
    );
    const heard: string[] = [];
    pipeline.events.subscribe(({ type }) => heard.push(type));
    expect(await pipeline.execute(() => 1)).toBe(1);
    expect(heard).toHaveLength(2);
    expect(pipeline.snapshot().totals.listenerErrors).toBe(2);
    pipeline.close();
  });
});
