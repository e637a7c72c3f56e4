import { describe, expect, it } from 'vitest';
import { largerValues, worseShare } from './significance.ts';

describe('worseShare', () => {
  it('equal shares have no significant difference', () => {
    expect(worseShare({ good: 99, all: 100 }, { good: 99, all: 100 })).toBeCloseTo(0.5);
    expect(worseShare({ good: 100, all: 100 }, { good: 100, all: 100 })).toBe(1);
  });

  it('a clearly worse share is significant', () => {
    // z = 2.357: p = 0.0092.
    expect(worseShare({ good: 90, all: 100 }, { good: 78, all: 100 })).toBeCloseTo(0.0103, 3);
  });

  it('a better share is not worse', () => {
    expect(worseShare({ good: 50, all: 100 }, { good: 90, all: 100 })).toBeGreaterThan(0.99);
  });

  it('a group without requests has no probability', () => {
    expect(worseShare({ good: 0, all: 0 }, { good: 1, all: 1 })).toBeUndefined();
  });
});

describe('largerValues', () => {
  it('values that are all larger are significant', () => {
    expect(largerValues([1, 2, 3, 4, 5, 6], [11, 12, 13, 14, 15, 16])).toBeLessThan(0.01);
  });

  it('values from the same range are not significant', () => {
    expect(largerValues([1, 3, 5, 7, 9, 11], [2, 4, 6, 8, 10, 12])).toBeGreaterThan(0.2);
    expect(largerValues([5, 5, 5, 5, 5], [5, 5, 5, 5, 5])).toBe(1);
  });

  it('a few values have no probability', () => {
    expect(largerValues([1, 2, 3, 4], [5, 6, 7, 8, 9])).toBeUndefined();
  });
});
