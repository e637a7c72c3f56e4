import { getEventListeners } from 'node:events';
import { expect, it } from 'vitest';
import { AbortFanOut } from './abort-fan-out.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { Waits } from './wait.ts';

it('a wait leaves no timer and no listener after any end', async () => {
  const clock = new VirtualClock(0);
  const fanOut = new AbortFanOut();
  const waits = new Waits(clock, fanOut);
  const controller = new AbortController();
  const { signal } = controller;
  const begin = (timeoutError?: () => unknown) => waits.start({ ms: 10, signal, ...(timeoutError === undefined ? {} : { timeoutError }) });
  const ended = begin();
  const failed = begin();
  const overWell = begin();
  const late = begin(() => new Error('late'));
  ended.complete();
  failed.fail(new Error('failed'));
  await ended.promise;
  await expect(failed.promise).rejects.toThrow('failed');
  const lateReason = late.promise.catch((error: unknown) => error);
  expect(clock.pending).toBe(2);
  await clock.advance(10);
  await overWell.promise;
  expect(await lateReason).toEqual(new Error('late'));
  const [aborted, closed] = [begin(), waits.start({ ms: 10, signal: undefined })];
  controller.abort(new Error('enough'));
  await expect(aborted.promise).rejects.toThrow('enough');
  waits.failAll(new Error('closed'));
  await expect(closed.promise).rejects.toThrow('closed');
  fanOut.release();
  // A leaked wait would grow the set without limit.
  expect([clock.pending, getEventListeners(signal, 'abort').length, waits.size]).toEqual([0, 0, 0]);
});
