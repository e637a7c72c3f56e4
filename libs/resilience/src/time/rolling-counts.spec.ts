import { describe, expect, it } from 'vitest';
import { RollingCounts } from './rolling-counts.ts';

describe('RollingCounts', () => {
  it('each kind is counted within the window, bucket by bucket', () => {
    const counts = new RollingCounts(100, 10, 2);
    counts.add(0, 5);
    counts.add(1, 5, 3);
    counts.add(0, 19);
    counts.add(0, 99);
    expect([counts.total(0, 99), counts.total(1, 99)]).toEqual([3, 3]);
    expect([counts.total(0, 100), counts.total(1, 100)]).toEqual([2, 0]);
    expect(counts.total(0, 110)).toBe(1);
    expect(counts.total(0, 189)).toBe(1);
    expect(counts.total(0, 190)).toBe(0);
  });

  it('the counts are 0 after a time longer than the window', () => {
    const counts = new RollingCounts(100, 10, 1);
    counts.add(0, 0);
    expect(counts.total(0, 1e9)).toBe(0);
    counts.add(0, 1e9);
    expect(counts.total(0, 1e9 + 99)).toBe(1);
  });

  it('a time that steps back counts as the newest bucket', () => {
    const counts = new RollingCounts(100, 10, 1);
    counts.add(0, 500);
    counts.add(0, 100);
    expect(counts.total(0, 100)).toBe(2);
    expect(counts.total(0, 599)).toBe(2);
    expect(counts.total(0, 600)).toBe(0);
    const others = new RollingCounts(100, 10, 1);
    others.add(0, 500);
    others.add(0, 495);
    expect([others.total(0, 595), others.total(0, 600)]).toEqual([2, 0]);
  });

  it('clear sets all counts to 0', () => {
    const counts = new RollingCounts(100, 10, 2);
    counts.add(0, 0);
    counts.add(1, 0);
    counts.clear();
    expect([counts.total(0, 0), counts.total(1, 0)]).toEqual([0, 0]);
    counts.add(1, 50);
    expect(counts.total(1, 149)).toBe(1);
  });

  it('times below 0 are valid', () => {
    const counts = new RollingCounts(100, 10, 1);
    counts.add(0, -55);
    expect([counts.total(0, 39), counts.total(0, 40)]).toEqual([1, 0]);
  });
});
