import { describe, expect, it } from 'vitest';
import { backOffMs } from './back-off.ts';
import { classifyError } from '../errors/error-class.ts';
import { CircuitOpenError, RetryBudgetSpentError } from '../errors/errors.ts';
import { isThrottled, parseRetryAfterMs, readRetryAfterMs } from './retry-after.ts';
import { retryWaitMs } from './retry-strategy.ts';
import { createRetryBudget } from './rolling-retry-budget.ts';
import { settled, VirtualClock } from '../testing/virtual-clock.ts';
import { down, failing, never, setUp, times } from '../testing/set-up.ts';

const spec = {
  name: 's3',
  timeout: { attemptMs: 200, totalMs: 2000 },
  retry: { attemptsMax: 4, baseMs: 100, factor: 3, waitMsMax: 500 },
} as const;
const idempotent = { idempotent: true } as const;
const half = (): number => 0.5;

describe('the back-off', () => {
  it('the back-off is random up to a bound that grows with each attempt', () => {
    const backOff = { baseMs: 100, factor: 3, waitMsMax: 500 };
    expect([0, 1, 2, 3].map((attempt) => backOffMs(backOff, attempt, () => 0.999_999))).toEqual([99.9999, 299.9997, 499.9995, 499.9995]);
    expect(backOffMs(backOff, 3, () => 0)).toBe(0);
  });

  const settings = {
    attemptsMax: 3,
    baseMs: 100,
    factor: 2,
    waitMsMax: 1000,
    retryAfterMsMax: 5000,
    budget: { ratio: 0.2, perSecondMin: 10, windowSeconds: 10 },
  };
  const failed = { attempt: 0, errorClass: 'transient', error: down, leftMs: 1000 } as const;

  it('there is no retry after the last attempt or for a failure that does not pass', () => {
    expect(retryWaitMs(failed, settings, half)).toBe(50);
    expect(retryWaitMs({ ...failed, attempt: 1 }, settings, half)).toBe(100);
    expect(retryWaitMs({ ...failed, attempt: 2 }, settings, half)).toBeUndefined();
    expect(retryWaitMs({ ...failed, errorClass: 'throttled' }, settings, half)).toBe(50);
    for (const errorClass of ['permanent', 'invalid', 'rejected'] as const)
      expect(retryWaitMs({ ...failed, errorClass }, settings, half)).toBeUndefined();
  });

  it('the back-off is at least Retry-After, and there is no retry when Retry-After is too long', () => {
    expect(retryWaitMs({ ...failed, error: { retryAfterMs: 700 } }, settings, half)).toBe(700);
    expect(retryWaitMs({ ...failed, error: { retryAfterMs: 10 } }, settings, half)).toBe(50);
    expect(retryWaitMs({ ...failed, leftMs: 10_000, error: { retryAfterMs: 5000 } }, settings, half)).toBe(5000);
    expect(retryWaitMs({ ...failed, leftMs: 10_000, error: { retryAfterMs: 5001 } }, settings, half)).toBeUndefined();
  });

  it('there is no retry when the back-off exceeds the remaining time of the call', () => {
    expect(retryWaitMs({ ...failed, leftMs: 51 }, settings, half)).toBe(50);
    expect(retryWaitMs({ ...failed, leftMs: 50 }, settings, half)).toBeUndefined();
  });
});

describe('Retry-After', () => {
  it('Retry-After is parsed as seconds or as a date', () => {
    expect(parseRetryAfterMs(' 120 ', 0)).toBe(120_000);
    expect(parseRetryAfterMs('0', 0)).toBe(0);
    expect(parseRetryAfterMs('Thu, 01 Jan 1970 00:01:00 GMT', 1000)).toBe(59_000);
    expect(parseRetryAfterMs('Thu, 01 Jan 1970 00:01:00 GMT', 61_000)).toBe(0);
    for (const header of [undefined, '', ' ', 'soon', '12345678901']) expect(parseRetryAfterMs(header, 0)).toBeUndefined();
  });

  it('a 503 with Retry-After and any 429 count as throttling', () => {
    expect([
      isThrottled(429, undefined),
      isThrottled(503, 0),
      isThrottled(503, undefined),
      isThrottled(500, 1000),
      isThrottled(undefined, 1000),
    ]).toEqual([true, true, false, false, false]);
  });

  it('retryAfterMs is read from an error that has it', () => {
    expect(readRetryAfterMs({ retryAfterMs: 5 })).toBe(5);
    expect(readRetryAfterMs({ retryAfterMs: 0 })).toBe(0);
    for (const error of [undefined, null, 'text', {}, { retryAfterMs: '5' }, { retryAfterMs: -1 }, { retryAfterMs: Number.NaN }])
      expect(readRetryAfterMs(error)).toBeUndefined();
  });
});

describe('classifyError', () => {
  it('an error is transient unless its properties say otherwise', () => {
    expect([down, 'text', null, undefined, { retryable: true }].map(classifyError)).toEqual(Array.from({ length: 5 }, () => 'transient'));
    expect(classifyError({ retryable: false })).toBe('permanent');
    expect(classifyError(new CircuitOpenError('inner'))).toBe('rejected');
  });
});

describe('a pipeline with retries', () => {
  it('the pipeline retries idempotent work after each back-off until it succeeds', async () => {
    const { pipeline, clock, told } = setUp(spec);
    const begun: number[] = [];
    const outcome = pipeline.executeOutcome(({ attempt }) => {
      begun.push(clock.monotonic() - 1_000_000);
      if (attempt < 3) throw down;
      return attempt;
    }, idempotent);
    await clock.advance(1000);
    expect(await outcome).toEqual({ result: 'succeeded', value: 3, attempts: 4 });
    expect(begun).toEqual([0, 50, 200, 450]);
    expect(told('RetryScheduled')).toMatchObject([
      { attempt: 1, waitMs: 50, error: down },
      { attempt: 2, waitMs: 150 },
      { attempt: 3, waitMs: 250 },
    ]);
    expect(pipeline.snapshot().totals).toMatchObject({ calls: 1, attempts: 4, retries: 3 });
  });

  it('the call ends with the failure of its last attempt', async () => {
    const { pipeline, clock } = setUp(spec);
    const outcome = pipeline.executeOutcome(({ attempt }) => Promise.reject(new Error(`attempt ${attempt}`)), idempotent);
    await clock.advance(2000);
    expect(await outcome).toEqual({ result: 'failed', error: new Error('attempt 3'), attempts: 4 });
  });

  it('the pipeline does not retry work that is not idempotent', async () => {
    const { pipeline } = setUp(spec);
    expect(await pipeline.executeOutcome(failing, { idempotent: false })).toEqual({ result: 'failed', error: down, attempts: 1 });
  });

  it('the pipeline does not retry a rejected call', async () => {
    const { pipeline } = setUp({ ...spec, breaker: {} });
    pipeline.forceOpen();
    expect(await pipeline.executeOutcome(() => 1, idempotent)).toMatchObject({ result: 'rejected', attempts: 0 });
  });

  it('the pipeline retries a timed-out attempt within the remaining time', async () => {
    const { pipeline, clock } = setUp({ ...spec, timeout: { attemptMs: 200, totalMs: 300 } });
    const limits: number[] = [];
    const outcome = pipeline.executeOutcome(({ deadline }) => {
      limits.push(deadline - clock.now());
      return never();
    }, idempotent);
    await clock.advance(300);
    expect(await outcome).toMatchObject({ result: 'failed', error: { code: 'attempt-timeout', timeoutMs: 50 }, attempts: 2 });
    expect(limits).toEqual([200, 50]);
  });

  it('the back-off ends at once when the caller aborts', async () => {
    const { pipeline, clock } = setUp(spec);
    const controller = new AbortController();
    const outcome = pipeline.executeOutcome(failing, { idempotent: true, signal: controller.signal });
    await clock.advance(49);
    controller.abort('enough');
    expect(await outcome).toEqual({ result: 'aborted', error: 'enough', attempts: 1 });
    await clock.advance(1000);
    expect(clock.pending).toBe(0);
  });

  it('the pipeline schedules no retry when the caller aborts during an attempt', async () => {
    const { pipeline, told } = setUp(spec);
    const controller = new AbortController();
    const outcome = pipeline.executeOutcome(never, { idempotent: true, signal: controller.signal });
    controller.abort('enough');
    expect(await outcome).toEqual({ result: 'aborted', error: 'enough', attempts: 1 });
    expect([told('RetryScheduled'), pipeline.snapshot().totals.retries]).toEqual([[], 0]);
  });

  it('the pipeline starts no back-off when a listener of RetryScheduled aborts the call', async () => {
    const controller = new AbortController();
    const clock = new VirtualClock();
    const { pipeline } = setUp(spec, { clock, onEvent: ({ type }) => type === 'RetryScheduled' && controller.abort('enough') });
    expect(await pipeline.executeOutcome(failing, { idempotent: true, signal: controller.signal })).toEqual({
      result: 'aborted',
      error: 'enough',
      attempts: 1,
    });
    pipeline.close();
    expect(clock.pending).toBe(0);
  });

  it('the pipeline never retries its own rejections, even if classify calls them transient', async () => {
    const { pipeline, told } = setUp({ ...spec, breaker: {}, classify: () => 'transient' });
    pipeline.forceOpen();
    expect(await pipeline.executeOutcome(() => 1, idempotent)).toMatchObject({ result: 'rejected', attempts: 0 });
    expect(told('RetryScheduled')).toEqual([]);
  });

  it('a rejected retry has the previous failure as its cause', async () => {
    const { pipeline, clock } = setUp({ ...spec, breaker: { minimumCalls: 1 } });
    const outcome = pipeline.executeOutcome(failing, idempotent);
    await clock.advance(2000);
    expect(await outcome).toMatchObject({ result: 'rejected', error: { code: 'circuit-open', cause: down }, attempts: 1 });
    expect(await pipeline.executeOutcome(failing, idempotent)).toMatchObject({
      result: 'rejected',
      error: { code: 'circuit-open', cause: undefined },
      attempts: 0,
    });
  });

  it('a rejection by a nested pipeline gets no cause', async () => {
    const refusal = new CircuitOpenError('inner');
    const { pipeline, clock } = setUp({ ...spec, classify: () => 'transient' });
    const outcome = pipeline.executeOutcome(({ attempt }) => Promise.reject(attempt === 0 ? down : refusal), idempotent);
    await clock.advance(2000);
    expect(await outcome).toMatchObject({ error: refusal });
    expect(refusal.cause).toBeUndefined();
  });

  it('the pipeline retries an error for which classify throws', async () => {
    const { pipeline, clock } = setUp({
      ...spec,
      classify: () => {
        throw new TypeError('no such field');
      },
    });
    const outcome = pipeline.executeOutcome(({ attempt }) => (attempt === 0 ? failing() : 7), idempotent);
    await clock.advance(2000);
    expect(await outcome).toEqual({ result: 'succeeded', value: 7, attempts: 2 });
  });

  it('a retry does not count when the caller aborts before it', async () => {
    const { pipeline } = setUp(spec);
    const controller = new AbortController();
    const outcome = pipeline.executeOutcome(failing, { ...idempotent, signal: controller.signal });
    await settled();
    controller.abort('enough');
    expect(await outcome).toEqual({ result: 'aborted', error: 'enough', attempts: 1 });
    expect(pipeline.snapshot().totals).toMatchObject({ attempts: 1, retries: 0 });
  });

  it('the pipeline rejects a retry when the budget is spent, with the failure as its cause', async () => {
    const clock = new VirtualClock();
    const retryBudget = createRetryBudget({ ratio: 0, perSecondMin: 0.1, windowSeconds: 10 }, { clock });
    const { pipeline, told } = setUp({ ...spec, retry: { ...spec.retry, baseMs: 0 } }, { clock, retryBudget });
    const outcome = pipeline.executeOutcome(failing, idempotent);
    await clock.advance(0);
    expect(await outcome).toMatchObject({
      result: 'rejected',
      error: { code: 'retry-budget-spent', retryable: true, cause: down },
      attempts: 2,
    });
    expect(await pipeline.executeOutcome(failing, idempotent)).toMatchObject({
      result: 'rejected',
      error: expect.any(RetryBudgetSpentError) as unknown,
      attempts: 1,
    });
    expect(told('CallRejected').map(({ code }) => code)).toEqual(['retry-budget-spent', 'retry-budget-spent']);
    expect(pipeline.snapshot()).toMatchObject({
      retryBudget: { available: 0, ratio: 0, perSecondMin: 0.1 },
      totals: { retries: 1, rejections: { 'retry-budget-spent': 2 } },
    });
  });
});

describe('a retry budget', () => {
  const limits = { ratio: 0.2, perSecondMin: 1, windowSeconds: 10 };

  it('the budget grants a ratio of the calls plus a fixed number per second', () => {
    const budget = createRetryBudget(limits, { clock: new VirtualClock() });
    expect(budget.available()).toBe(10);
    for (let call = 0; call < 9; call += 1) budget.earn();
    expect(budget.available()).toBe(11);
    budget.earn();
    expect(budget.available()).toBe(12);
    const granted = Array.from({ length: 20 }, () => budget.spend()).filter(Boolean);
    expect(granted).toHaveLength(12);
    expect(budget.available()).toBe(0);
  });

  it('the budget forgets calls and retries after its window', async () => {
    const clock = new VirtualClock();
    const budget = createRetryBudget(limits, { clock });
    for (let call = 0; call < 100; call += 1) budget.earn();
    for (let retry = 0; retry < 30; retry += 1) budget.spend();
    expect(budget.available()).toBe(0);
    await clock.advance(10_000);
    expect(budget.available()).toBe(10);
  });

  it('the settings of the budget can be changed', async () => {
    const clock = new VirtualClock();
    const budget = createRetryBudget({}, { clock });
    expect(budget.settings).toEqual({ ratio: 0.2, perSecondMin: 10, windowSeconds: 10 });
    for (let retry = 0; retry < 99; retry += 1) budget.spend();
    expect(budget.available()).toBe(1);
    budget.update({ perSecondMin: 20 });
    expect(budget.available()).toBe(101);
    // Spent retries stay spent.
    budget.update({ windowSeconds: 5 });
    expect(budget.available()).toBe(1);
    budget.update({ perSecondMin: 1 });
    expect(budget.available()).toBe(0);
    await clock.advance(5000);
    expect(budget.available()).toBe(5);
  });

  it('calls earn retries, but their further attempts do not', async () => {
    const clock = new VirtualClock();
    const { pipeline } = setUp({ ...spec, retry: { baseMs: 0, attemptsMax: 2, budget: { ratio: 0.5, perSecondMin: 0 } } }, { clock });
    await times(2, async () => await pipeline.execute(() => 1, idempotent));
    expect(pipeline.snapshot().retryBudget).toMatchObject({ available: 1 });
    const outcome = pipeline.executeOutcome(failing, idempotent);
    await clock.advance(0);
    expect(await outcome).toMatchObject({ result: 'failed', attempts: 2 });
    expect(pipeline.snapshot().retryBudget).toMatchObject({ available: 0 });
  });

  it('pipelines with the same budget share its retries', async () => {
    const clock = new VirtualClock();
    const retryBudget = createRetryBudget({ ratio: 0, perSecondMin: 1, windowSeconds: 1 }, { clock });
    const one = setUp({ ...spec, retry: { baseMs: 0 } }, { clock, retryBudget });
    const other = setUp({ ...spec, name: 'glue', retry: { baseMs: 0 } }, { clock, retryBudget });
    const first = one.pipeline.executeOutcome(failing, idempotent);
    await clock.advance(0);
    await first;
    await times(1, async () => await other.pipeline.execute(failing, idempotent));
    expect([one.pipeline.snapshot().totals.attempts, other.pipeline.snapshot().totals.attempts]).toEqual([2, 1]);
  });
});
