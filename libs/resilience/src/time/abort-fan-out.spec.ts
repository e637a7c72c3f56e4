import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { AbortFanOut, type Abortable } from './abort-fan-out.ts';
import { failing, never, setUp } from '../testing/set-up.ts';
import { settled } from '../testing/virtual-clock.ts';

const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;

function abortable(seen: unknown[]): Abortable {
  return { onAbort: (reason) => void seen.push(reason), abortHub: undefined, abortNext: undefined, abortPrevious: undefined };
}

describe('AbortFanOut', () => {
  it('the fan-out adds one listener per signal for any number of objects', () => {
    const fanOut = new AbortFanOut();
    const controller = new AbortController();
    const seen: unknown[] = [];
    const all = Array.from({ length: 4 }, () => abortable(seen));
    for (const each of all) fanOut.link(each, controller.signal);
    expect(listeners(controller.signal)).toBe(1);
    for (const index of [1, 0]) fanOut.unlink(all[index]!);
    fanOut.unlink(all[0]!);
    controller.abort('enough');
    expect(seen).toEqual(['enough', 'enough']);
    expect(
      all.every(
        ({ abortHub, abortNext, abortPrevious }) => abortHub === undefined && abortNext === undefined && abortPrevious === undefined,
      ),
    ).toBe(true);
  });

  it('the fan-out keeps a listener on the latest signal and on signals with linked objects', () => {
    const fanOut = new AbortFanOut();
    const [first, second, third] = [new AbortController(), new AbortController(), new AbortController()];
    const seen: unknown[] = [];
    const [one, two, three] = [abortable(seen), abortable(seen), abortable(seen)];
    fanOut.link(one, first.signal);
    fanOut.link(two, second.signal);
    fanOut.unlink(two);
    expect([first, second].map(({ signal }) => listeners(signal))).toEqual([1, 1]);
    fanOut.link(three, third.signal);
    expect([first, second, third].map(({ signal }) => listeners(signal))).toEqual([1, 0, 1]);
    fanOut.unlink(one);
    expect(listeners(first.signal)).toBe(0);
    fanOut.link(one, first.signal);
    fanOut.link(two, third.signal);
    third.abort('third');
    expect(seen).toEqual(['third', 'third']);
    first.abort('first');
    expect(seen).toEqual(['third', 'third', 'first']);
  });

  it('the fan-out keeps nothing of an aborted signal', () => {
    const fanOut = new AbortFanOut();
    const controllers = Array.from({ length: 3 }, () => new AbortController());
    for (const { signal } of controllers) fanOut.link(abortable([]), signal);
    for (const controller of controllers) controller.abort('enough');
    expect(controllers.map(({ signal }) => listeners(signal))).toEqual([0, 0, 0]);
    const next = new AbortController();
    const one = abortable([]);
    fanOut.link(one, next.signal);
    fanOut.unlink(one);
    fanOut.release();
    expect(listeners(next.signal)).toBe(0);
  });

  it('release removes the listener of the latest signal unless an object is linked to it', () => {
    const fanOut = new AbortFanOut();
    const controller = new AbortController();
    const one = abortable([]);
    fanOut.release();
    fanOut.link(one, controller.signal);
    fanOut.release();
    expect(listeners(controller.signal)).toBe(1);
    fanOut.unlink(one);
    fanOut.release();
    expect(listeners(controller.signal)).toBe(0);
  });
});

describe('a pipeline under one long-lived signal', () => {
  it('waits and attempts of all kinds leave no listener and no timer', async () => {
    const { pipeline, clock } = setUp({
      name: 's3',
      timeout: { attemptMs: 50 },
      retry: { baseMs: 10 },
      breaker: { minimumCalls: 1000 },
      bulkhead: { concurrencyMax: 2, queueMax: 100, queueWaitMsMax: 20 },
      cache: {},
    });
    const { signal } = new AbortController();
    const calls = Array.from({ length: 50 }, (_, i) =>
      pipeline.executeOutcome(i % 3 === 0 ? () => i : failing, { signal, idempotent: true, key: i % 2 === 0 ? `${i % 7}` : undefined }),
    );
    await clock.advance(1000);
    await Promise.all(calls);
    expect(listeners(signal)).toBeLessThanOrEqual(1);
    pipeline.close();
    expect([listeners(signal), clock.pending]).toEqual([0, 0]);
  });

  it('a hung call of another signal does not keep listeners of those that have ended', async () => {
    const { pipeline } = setUp({ name: 's3' });
    const hung = new AbortController();
    void pipeline.executeOutcome(never, { signal: hung.signal });
    const signals = Array.from({ length: 100 }, () => new AbortController().signal);
    for (const signal of signals) await pipeline.execute(() => 1, { signal });
    expect(signals.map(listeners).reduce((sum, count) => sum + count, 0)).toBe(1);
    hung.abort();
    await settled();
    expect(pipeline.snapshot().totals.results.aborted).toBe(1);
  });
});
