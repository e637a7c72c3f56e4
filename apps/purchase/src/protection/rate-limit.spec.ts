import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { RateLimit } from './rate-limit.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Events that a caller may send now. */
async function eventsOf(limit: RateLimit, caller: string): Promise<number> {
  let events = 0;
  while ((await limit.take(caller)) === undefined) events += 1;
  return events;
}

it('a caller may send its rate in each second, and does not use up the rate of others', async () => {
  const limit = new RateLimit(5);
  expect([await eventsOf(limit, 'alice'), await eventsOf(limit, 'bob')]).toEqual([5, 5]);
  expect(await limit.take('alice')).toBe(1);
  await vi.advanceTimersByTimeAsync(1001);
  expect(await eventsOf(limit, 'alice')).toBe(5);
});

it('a batch above the rate is let in, and its caller waits until its average is the rate again', async () => {
  const limit = new RateLimit(100);
  expect(await limit.take('alice')).toBeUndefined();
  await limit.charge('alice', 399);
  expect(await limit.take('alice')).toBe(3);
  expect(await limit.take('bob')).toBeUndefined();
  await vi.advanceTimersByTimeAsync(2900);
  expect(await limit.take('alice')).toBe(1);
  await vi.advanceTimersByTimeAsync(101);
  expect(await limit.take('alice')).toBeUndefined();
});

it('a batch within the rate makes no caller wait', async () => {
  const limit = new RateLimit(100);
  await limit.take('alice');
  await limit.charge('alice', 98);
  expect(await eventsOf(limit, 'alice')).toBe(1);
});
