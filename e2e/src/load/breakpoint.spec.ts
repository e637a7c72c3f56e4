import { expect, it } from 'vitest';
import { findCapacity } from './breakpoint.ts';
import { plannedRequests, type LoadPhase } from './generator/load-phase.ts';
import type { PhaseResult } from './generator/open-load.ts';

/** A service that accepts so many requests a second, and is slow from some rate on. */
function serviceWith(limit: number, slowFrom: number) {
  return async (phase: LoadPhase): Promise<PhaseResult> => {
    const planned = plannedRequests(phase, 'purchase');
    const accepted = Math.min(planned, limit * phase.seconds);
    const p99Ms = planned / phase.seconds >= slowFrom ? 9000 : 10;
    const totals = { planned, sent: planned, accepted, shed: planned - accepted, failed: 0, dropped: 0, p50Ms: 1, p99Ms, maxMs: p99Ms };
    return await Promise.resolve({ phase, beganSecond: 0, seconds: phase.seconds, totals: { purchase: totals }, points: {} });
  };
}
const search = { stream: 'purchase', from: 100, stepSeconds: 1, refinements: 3 } as const;

it('the search grows until a step does not hold and halves the interval then', async () => {
  const { perSecond, steps } = await findCapacity(search, serviceWith(400, Infinity));
  expect(steps.map(({ rate, held }) => [rate, held])).toEqual([
    [100, true],
    [150, true],
    [225, true],
    [338, true],
    [507, false],
    [423, false],
    [381, true],
    [402, true],
  ]);
  expect(perSecond).toBe(400);
});

it('a rate with slow answers does not hold', async () => {
  expect((await findCapacity(search, serviceWith(10_000, 200))).perSecond).toBeLessThan(200);
});

it('a service that holds no rate has the capacity 0', async () => {
  expect((await findCapacity(search, serviceWith(0, Infinity))).perSecond).toBe(0);
});
