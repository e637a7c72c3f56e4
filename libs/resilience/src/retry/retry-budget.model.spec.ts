import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRetryBudget } from './rolling-retry-budget.ts';
import { modelRuns } from '../testing/model-runs.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';

const step = fc.oneof(
  fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 2500 }) }),
  { arbitrary: fc.record({ kind: fc.constant('earn' as const), n: fc.integer({ min: 1, max: 20 }) }), weight: 2 },
  { arbitrary: fc.record({ kind: fc.constant('spend' as const), n: fc.integer({ min: 1, max: 20 }) }), weight: 2 },
);

const limits = fc.record({
  ratio: fc.constantFrom(0, 0.1, 0.25, 1),
  perSecondMin: fc.constantFrom(0, 0.5, 3),
  windowSeconds: fc.constantFrom(1, 10),
});

describe('RetryBudget', () => {
  it('the budget grants exactly the retries that calls and time allow within its window', async () => {
    await fc.assert(
      fc.asyncProperty(limits, fc.array(step, { maxLength: 80 }), async ({ ratio, perSecondMin, windowSeconds }, steps) => {
        const clock = new VirtualClock(0);
        const budget = createRetryBudget({ ratio, perSecondMin, windowSeconds }, { clock });
        const bucketMs = windowSeconds * 100;
        const calls: number[] = [];
        const retries: number[] = [];
        const within = (times: readonly number[]): number =>
          times.filter((atMs) => Math.floor(atMs / bucketMs) > Math.floor(clock.monotonic() / bucketMs) - 10).length;
        for (const each of steps) {
          if (each.kind === 'pass') await clock.advance(each.ms);
          for (let i = 0; i < (each.kind === 'pass' ? 0 : each.n); i += 1) {
            if (each.kind === 'earn') {
              budget.earn();
              calls.push(clock.monotonic());
              continue;
            }
            const left = ratio * within(calls) + perSecondMin * windowSeconds - within(retries);
            const granted = budget.spend();
            expect(granted).toBe(left >= 1);
            if (granted) retries.push(clock.monotonic());
          }
        }
      }),
      modelRuns(100),
    );
  });
});
