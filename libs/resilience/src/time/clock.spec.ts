import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { monotonicReader, sleep, systemClock } from './clock.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { systemRandom } from './system-random.ts';

describe('sleep', () => {
  it('a sleep lasts for the given time and leaves no listener', async () => {
    const clock = new VirtualClock(0);
    const { signal } = new AbortController();
    let awake = false;
    const slept = sleep(20, { clock, signal }).then(() => (awake = true));
    await clock.advance(19);
    expect(awake).toBe(false);
    await clock.advance(1);
    await slept;
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    const unsignalled = sleep(5, { clock });
    await clock.advance(5);
    await expect(unsignalled).resolves.toBeUndefined();
  });

  it('an aborted sleep throws the reason of its signal and leaves no timer', async () => {
    const clock = new VirtualClock(0);
    const controller = new AbortController();
    const slept = sleep(20, { clock, signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(slept).rejects.toThrow('enough');
    expect([clock.pending, getEventListeners(controller.signal, 'abort').length]).toEqual([0, 0]);
    await expect(sleep(20, { clock, signal: controller.signal })).rejects.toThrow('enough');
    expect(clock.pending).toBe(0);
  });
});

describe('a clock', () => {
  it('a clock without monotonic time uses its time of day', () => {
    let nowMs = 5;
    const timers = { setTimeout: () => undefined, clearTimeout: () => undefined };
    expect(monotonicReader({ now: () => nowMs, ...timers })()).toBe(5);
    nowMs = 6;
    expect(monotonicReader({ now: () => nowMs, ...timers })()).toBe(6);
    expect(monotonicReader({ now: () => nowMs, monotonic: () => 7, ...timers })()).toBe(7);
  });

  it('the system clock returns the time and runs a callback unless it is cleared', async () => {
    const before = Date.now();
    const countedFrom = performance.now();
    expect(systemClock.now()).toBeGreaterThanOrEqual(before);
    expect(systemClock.monotonic!()).toBeGreaterThanOrEqual(countedFrom);
    expect(systemClock.monotonic!()).toBeLessThan(before);
    const called: string[] = [];
    systemClock.clearTimeout(systemClock.setTimeout(() => called.push('cleared'), 0));
    await new Promise<void>((resolve) => systemClock.setTimeout(resolve, 5));
    expect(called).toEqual([]);
  });

  it('the random numbers of the machine are at least 0 and below 1', () => {
    const drawn = Array.from({ length: 100 }, systemRandom);
    expect(drawn.every((number) => number >= 0 && number < 1)).toBe(true);
    expect(new Set(drawn).size).toBeGreaterThan(1);
  });
});
