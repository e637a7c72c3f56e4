import { describe, expect, it } from 'vitest';
import { createPipeline } from './create-pipeline.ts';
import { createRetryBudget } from '../retry/rolling-retry-budget.ts';
import type { RetryBudgetSpec } from '../settings/pipeline-spec.ts';
import { QueueingServer } from '../testing/queueing-server.ts';
import { failing, setUp } from '../testing/set-up.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';

/** Returns a reproducible generator of numbers in [0, 1). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}

const unbounded = { ratio: 1, perSecondMin: 1_000_000 };

/** Attempts per call when the dependency is down for a minute of 50 calls per second. */
async function attemptsPerCall(budget: RetryBudgetSpec, breaker: boolean): Promise<number> {
  const { pipeline, clock } = setUp(
    { name: 's3', retry: { attemptsMax: 3, budget }, ...(breaker ? { breaker: {} } : {}) },
    { random: seeded(1) },
  );
  for (let call = 0; call < 3000; call += 1) {
    void pipeline.executeOutcome(failing, { idempotent: true });
    await clock.advance(20);
  }
  await clock.advance(30_000);
  const { calls, attempts } = pipeline.snapshot().totals;
  return attempts / calls;
}

describe('a total outage', () => {
  it('a pipeline makes at most 1.2 attempts per call in a total outage', async () => {
    expect(await attemptsPerCall({}, true)).toBeLessThanOrEqual(1.2);
  });

  it('the retry budget alone limits a pipeline to 1.2 attempts per call', async () => {
    expect(await attemptsPerCall({ perSecondMin: 0 }, false)).toBeLessThanOrEqual(1.2);
  });

  it('a pipeline without budget and breaker makes three attempts per call', async () => {
    expect(await attemptsPerCall(unbounded, false)).toBe(3);
  });
});

/** Calls per second. The capacity of the server is 100. */
const offered = 80;
const triggerAtMs = 10_000;
const triggerMs = 10_000;
const recoveryMs = 30_000;

/**
 * Clients with a timeout and retries use 80 % of the capacity of a server. For ten seconds, its work takes five times as long.
 * @returns Ratio of successful calls before the overload, and in the last five of the thirty seconds after it
 */
async function goodput({
  budget,
  shedding,
}: {
  readonly budget: RetryBudgetSpec;
  readonly shedding: boolean;
}): Promise<{ readonly before: number; readonly after: number }> {
  const clock = new VirtualClock(0);
  const random = seeded(7);
  const server = new QueueingServer(clock, 10);
  const own = createPipeline(
    {
      name: 'server',
      timeout: { attemptMs: 1_000_000, totalMs: 1_000_000 },
      ...(shedding ? { shed: { retryAfterMs: 0, holdMs: 100 } } : {}),
    },
    { clock, random, load: server },
  );
  const client = createPipeline(
    { name: 'client', timeout: { attemptMs: 1000 }, retry: { attemptsMax: 3 } },
    { clock, random, retryBudget: createRetryBudget(budget, { clock }) },
  );
  const answers: { readonly atMs: number; well: boolean }[] = [];
  const untilMs = triggerAtMs + triggerMs + recoveryMs;
  for (let atMs = 0; atMs < untilMs + 5000; atMs += 1000 / offered) {
    server.workMs = atMs >= triggerAtMs && atMs < triggerAtMs + triggerMs ? 50 : 10;
    const answer = { atMs, well: false };
    answers.push(answer);
    const outcome = client.executeOutcome(
      async () =>
        await own.execute(async () => await server.work()).catch((error: unknown) => Promise.reject(new Error('503', { cause: error }))),
      { idempotent: true },
    );
    void outcome.then(({ result }) => (answer.well = result === 'succeeded'));
    await clock.advance(1000 / offered);
  }
  const successRatio = (fromMs: number, toMs: number): number => {
    const calls = answers.filter(({ atMs }) => atMs >= fromMs && atMs < toMs);
    return calls.filter(({ well }) => well).length / calls.length;
  };
  return { before: successRatio(0, triggerAtMs), after: successRatio(untilMs - 5000, untilMs) };
}

describe('recovery from an overload', () => {
  it('the goodput recovers to 95 % within 30 s with retry budget and shedding', async () => {
    const { before, after } = await goodput({ budget: {}, shedding: true });
    expect(before).toBe(1);
    expect(after).toBeGreaterThanOrEqual(0.95);
  });

  it('the goodput stays down without retry budget and shedding', async () => {
    const { before, after } = await goodput({ budget: unbounded, shedding: false });
    expect(before).toBe(1);
    expect(after).toBeLessThan(0.05);
  });
});
