import { describe, expect, it } from 'vitest';
import { dueMs, plannedRequests, steadyPhase } from './load-phase.ts';

describe('dueMs', () => {
  it('the requests of a steady phase are due at equal distances', () => {
    const phase = steadyPhase('hold', 2, { purchase: 4 });
    expect([0, 1, 7].map((index) => dueMs(phase, 'purchase', index))).toEqual([0, 250, 1750]);
  });

  it('no request is due after the end of its phase', () => {
    expect(dueMs(steadyPhase('hold', 2, { purchase: 4 }), 'purchase', 8)).toBeUndefined();
  });

  it('a stream without a rate is never due', () => {
    expect(dueMs(steadyPhase('hold', 2, { purchase: 4 }), 'query', 0)).toBeUndefined();
  });

  it('the rate of a ramp grows from the first to the last second', () => {
    const ramp = { name: 'ramp', seconds: 10, rates: { purchase: { from: 0, to: 100 } } };
    expect(plannedRequests(ramp, 'purchase')).toBe(500);
    // A quarter of the requests belongs to the first half.
    expect(dueMs(ramp, 'purchase', 125)).toBeCloseTo(5000);
    expect(dueMs(ramp, 'purchase', 499)).toBeLessThan(10_000);
  });

  it('the rate of a falling ramp shrinks to zero', () => {
    const ramp = { name: 'ramp', seconds: 10, rates: { purchase: { from: 100, to: 0 } } };
    expect(dueMs(ramp, 'purchase', 375)).toBeCloseTo(5000);
  });
});
