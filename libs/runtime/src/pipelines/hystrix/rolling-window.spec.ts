import { describe, expect, it } from 'vitest';
import { RollingWindow, percentile } from './rolling-window.ts';

describe('RollingWindow', () => {
  it('the window forgets old counts bucket by bucket', () => {
    let nowMs = 0;
    const window = new RollingWindow<'a'>(
      () => nowMs,
      () => 0,
      1000,
      3,
    );
    window.count('a');
    nowMs = 1500;
    window.count('a');
    nowMs = 2999;
    expect(window.sum('a')).toBe(2);
    nowMs = 3000;
    expect(window.sum('a')).toBe(1);
    nowMs = 60_000;
    expect(window.sum('a')).toBe(0);
  });

  it('the window reports the highest level within its length', () => {
    let nowMs = 0;
    const window = new RollingWindow<'a'>(
      () => nowMs,
      () => 0,
      1000,
      3,
    );
    expect(window.highest()).toBe(0);
    for (const level of [3, 7, 5]) window.reach(level);
    nowMs = 1000;
    window.reach(4);
    expect(window.highest()).toBe(7);
    nowMs = 3000;
    expect(window.highest()).toBe(4);
  });

  it('the window keeps a bounded, fair sample of latencies', () => {
    const window = new RollingWindow<'a'>(
      () => 0,
      () => 0,
      1000,
      10,
      2,
    );
    for (const latencyMs of [5, 3, 9]) window.observe(latencyMs);
    expect(window.latenciesMs()).toEqual([3, 9]);
  });
});

describe('percentile', () => {
  it('percentile returns the nearest rank', () => {
    const values = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
    expect([0, 25, 50, 90, 99, 100].map((percent) => percentile(values, percent))).toEqual([1, 3, 5, 9, 10, 10]);
    expect(percentile([], 50)).toBe(0);
  });
});
