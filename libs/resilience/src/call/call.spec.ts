import { describe, expect, it } from 'vitest';
import { createPipeline } from '../pipeline/create-pipeline.ts';
import { CircuitOpenError, DeadlineExceededError } from '../errors/errors.ts';
import { down, failing, never, setUp } from '../testing/set-up.ts';

describe('the end of a call', () => {
  it("a call is aborted only if its error is the reason of its caller's abort", async () => {
    const { signal } = new AbortController();
    const { pipeline, clock, events } = setUp({ name: 'kafka' });
    // The reason of a signal that has not aborted is undefined as well.
    expect(await pipeline.executeOutcome(() => Promise.reject(undefined as never), { signal })).toEqual({
      result: 'failed',
      error: undefined,
      attempts: 1,
    });
    const late = { signal: AbortSignal.abort('enough'), deadline: clock.now() - 1 };
    expect(await pipeline.executeOutcome(() => 1, late)).toEqual({
      result: 'rejected',
      error: new DeadlineExceededError('kafka'),
      attempts: 0,
    });
    expect(pipeline.snapshot().totals.results).toMatchObject({ failed: 1, rejected: 1, aborted: 0 });
    expect(Object.keys(events.find(({ type }) => type === 'CallFinished')!)).not.toContain('error');
  });

  it('the events of a call carry only the fields that apply', async () => {
    const { pipeline, events, clock } = setUp({ name: 'kafka', breaker: { minimumCalls: 1, breakDurationJitter: 0 } });
    const told = async (act: () => Promise<unknown>): Promise<unknown> => {
      const before = events.length;
      await act();
      return events.slice(before).map(({ pipeline: _pipeline, atMs: _atMs, ...event }) => event);
    };
    expect(await told(() => pipeline.executeOutcome(failing))).toMatchObject([
      { type: 'CircuitOpened' },
      { type: 'AttemptFinished' },
      { type: 'CallFinished', result: 'failed', error: down },
    ]);
    const error = new CircuitOpenError('kafka', { retryAfterMs: 5000 });
    expect(await told(() => pipeline.executeOutcome(failing))).toEqual([
      { type: 'CallRejected', code: 'circuit-open', retryAfterMs: 5000 },
      { type: 'AttemptFinished', attempt: 0, result: 'rejected', durationMs: 0, slow: false, error },
      { type: 'CallFinished', result: 'rejected', durationMs: 0, attempts: 0, error },
    ]);
    pipeline.forceOpen();
    expect(await told(() => pipeline.executeOutcome(failing))).toMatchObject([{ type: 'CallRejected', code: 'circuit-open' }, {}, {}]);
    expect(events.filter(({ type }) => type === 'CallRejected').at(-1)).not.toHaveProperty('retryAfterMs');
    expect(await told(() => pipeline.executeOutcome(() => 1, { deadline: clock.now() }))).toEqual([
      { type: 'CallRejected', code: 'deadline-exceeded' },
      { type: 'CallFinished', result: 'rejected', durationMs: 0, attempts: 0, error: new DeadlineExceededError('kafka') },
    ]);
  });

  it('a call ends at the earlier of its total timeout and its deadline', async () => {
    const { pipeline, clock } = setUp({ name: 'kafka', timeout: { attemptMs: 50, totalMs: 50 } });
    const patient = pipeline.executeOutcome(never, { deadline: clock.now() + 1_000_000 });
    const hasty = pipeline.executeOutcome(never, { deadline: clock.now() + 20 });
    await clock.advance(50);
    expect([await patient, await hasty]).toMatchObject([{ error: { timeoutMs: 50 } }, { error: { timeoutMs: 20 } }]);
  });
});

describe('a pipeline without listeners', () => {
  it('a call without a deadline does not read the time of day', async () => {
    let looks = 0;
    const clock = {
      now: () => {
        looks += 1;
        return 0;
      },
      monotonic: () => 0,
      setTimeout: () => undefined,
      clearTimeout: () => undefined,
    };
    const pipeline = createPipeline({ name: 'kafka', bulkhead: {} }, { clock });
    await pipeline.executeOutcome(() => 1);
    await pipeline.executeOutcome(failing);
    expect(looks).toBe(0);
    await pipeline.executeOutcome(() => 1, { deadline: 10 });
    expect(looks).toBe(1);
  });
});
