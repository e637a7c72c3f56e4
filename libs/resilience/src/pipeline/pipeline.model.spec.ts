import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { modelRuns } from '../testing/model-runs.ts';
import { down, setUp } from '../testing/set-up.ts';
import { settled } from '../testing/virtual-clock.ts';

const concurrencyMax = 2;
const queueMax = 3;

const step = fc.oneof(
  fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 40 }) }),
  {
    arbitrary: fc.record({
      kind: fc.constant('call' as const),
      deadlineMs: fc.constantFrom(undefined, undefined, 15, 60),
      heeds: fc.boolean(),
    }),
    weight: 4,
  },
  { arbitrary: fc.record({ kind: fc.constant('end' as const), which: fc.nat(9), well: fc.boolean() }), weight: 3 },
  { arbitrary: fc.record({ kind: fc.constant('abort' as const), which: fc.nat(9) }), weight: 2 },
);

/** The breaker never opens, because this test checks running and waiting calls. */
const spec = {
  name: 'model',
  timeout: { attemptMs: 50, totalMs: 200 },
  retry: { attemptsMax: 2, baseMs: 20 },
  breaker: { minimumCalls: 1_000_000 },
  bulkhead: { concurrencyMax, queueMax, queueWaitMsMax: 30 },
} as const;

describe('a pipeline under any schedule', () => {
  it('a pipeline obeys its limits, answers each call once and leaves nothing behind', async () => {
    await fc.assert(
      // Some steps follow immediately, before callbacks of the previous step run.
      fc.asyncProperty(fc.array(fc.tuple(step, fc.boolean()), { maxLength: 50 }), async (steps) => {
        const { pipeline, clock } = setUp(spec);
        const running: PromiseWithResolvers<number>[] = [];
        const controllers: AbortController[] = [];
        const outcomes: Promise<{ readonly result: string }>[] = [];
        const answered: number[] = [];
        for (const [each, atOnce] of steps) {
          if (each.kind === 'pass') await clock.advance(each.ms);
          else if (each.kind === 'call') {
            const controller = new AbortController();
            const number = controllers.push(controller) - 1;
            const outcome = pipeline.executeOutcome(
              ({ signal }) => {
                const own = Promise.withResolvers<number>();
                running.push(own);
                if (each.heeds) signal.addEventListener('abort', () => own.reject(down));
                void own.promise.catch(() => undefined).finally(() => running.splice(running.indexOf(own), 1));
                return own.promise;
              },
              {
                idempotent: number % 2 === 0,
                signal: controller.signal,
                deadline: each.deadlineMs === undefined ? undefined : clock.now() + each.deadlineMs,
              },
            );
            outcomes.push(outcome);
            void outcome.then(() => answered.push(number));
          } else if (each.kind === 'end') {
            if (running.length > 0)
              running[each.which % running.length]![each.well ? 'resolve' : 'reject'](each.well ? 1 : (down as never));
          } else if (controllers.length > 0) controllers[each.which % controllers.length]!.abort('enough');
          if (atOnce) continue;
          await settled();
          const { inFlight, zombies, bulkhead } = pipeline.snapshot();
          expect(running).toHaveLength(inFlight);
          expect(inFlight).toBeLessThanOrEqual(concurrencyMax);
          expect(zombies).toBeLessThanOrEqual(inFlight);
          expect(bulkhead!.queued).toBeLessThanOrEqual(queueMax);
          expect(bulkhead!.queued === 0 || inFlight === concurrencyMax).toBe(true);
        }
        await clock.advance(1000);
        const results = await Promise.all(outcomes);
        expect(answered.toSorted((a, b) => a - b)).toEqual(outcomes.map((_, number) => number));
        for (const own of running) own.resolve(0);
        await settled();
        const { inFlight, zombies, bulkhead, totals } = pipeline.snapshot();
        expect([inFlight, zombies, bulkhead!.queued]).toEqual([0, 0, 0]);
        expect(totals.calls).toBe(outcomes.length);
        expect(Object.values(totals.results).reduce((sum, count) => sum + count, 0)).toBe(outcomes.length);
        expect(results.every(({ result }) => ['succeeded', 'failed', 'rejected', 'aborted'].includes(result))).toBe(true);
        // All permits have been returned.
        const held = Promise.withResolvers<number>();
        const last = Array.from({ length: concurrencyMax }, () => pipeline.execute(() => held.promise, { idempotent: false }));
        expect(pipeline.snapshot()).toMatchObject({ inFlight: concurrencyMax, bulkhead: { queued: 0 } });
        held.resolve(1);
        await Promise.all(last);
        await pipeline.drain();
        pipeline.close();
        expect(clock.pending).toBe(0);
      }),
      modelRuns(300),
    );
  });
});
