import { expect, it } from 'vitest';
import { recoverySeconds } from './recovery.ts';

const points = (accepted: readonly number[]) =>
  accepted.map((count, n) => ({ second: 80.4 + n, due: 10, accepted: count, shed: 10 - count, failed: 0, dropped: 0, p99Ms: 1 }));

it('a load that is accepted at once has recovered after 0 s', () => {
  expect(recoverySeconds(points([10, 10, 10, 10, 10]), 0.95)).toBe(0);
});

it('the recovery begins after the last bad window', () => {
  expect(recoverySeconds(points([0, 10, 10, 10, 0, 10, 10, 10]), 0.95)).toBe(5);
});

it('the streams of a second count together', () => {
  const both = [...points([10, 10, 10, 10]), ...points([0, 10, 10, 10])];
  expect(recoverySeconds(both, 0.95)).toBe(1);
});

it('a goodput that does not return has no recovery', () => {
  expect(recoverySeconds(points([10, 10, 10, 10, 9, 9, 9]), 0.95)).toBeUndefined();
});

it('without points there is no recovery', () => {
  expect(recoverySeconds([], 0.95)).toBeUndefined();
});
