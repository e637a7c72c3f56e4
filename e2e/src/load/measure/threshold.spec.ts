import { expect, it } from 'vitest';
import { steadyPhase } from '../generator/load-phase.ts';
import type { PhaseResult } from '../generator/open-load.ts';
import { judgeThreshold, type Threshold } from './threshold.ts';

const totals = { planned: 100, sent: 98, accepted: 90, shed: 5, failed: 3, dropped: 2, p50Ms: 4, p99Ms: 40, maxMs: 50 };
const result = (found: Partial<typeof totals>): PhaseResult => ({
  phase: steadyPhase('hold', 1, { purchase: 100 }),
  beganSecond: 0,
  seconds: 1,
  totals: { purchase: { ...totals, ...found } },
  points: {},
});
const threshold: Threshold = { phase: 'hold', stream: 'purchase', measure: 'p99-ms', atMost: 40 };

it.each([
  ['arrival-share', 0.98],
  ['accepted-share', 0.9],
  ['error-share', 0.08],
  ['failed-share', 0.03],
  ['shed-share', 0.05],
  ['dropped-share', 0.02],
  ['p50-ms', 4],
  ['p99-ms', 40],
] as const)('the measure %s is relative to the planned requests', (measure, value) => {
  expect(judgeThreshold({ phase: 'hold', stream: 'purchase', measure, atMost: 1 }, [result({})]).value).toBe(value);
});

it('a value at its limit meets the threshold, and a value above it does not', () => {
  expect(judgeThreshold(threshold, [result({})])).toEqual({ name: 'hold: purchase p99-ms', value: 40, limit: '≤ 40', met: true });
  expect(judgeThreshold(threshold, [result({ p99Ms: 41 })]).met).toBe(false);
});

it.each<[string, Threshold, Partial<typeof totals>]>([
  ['a phase that did not run', { ...threshold, phase: 'spike' }, {}],
  ['a stream that sent nothing', { ...threshold, stream: 'query' }, {}],
  ['a stream without an accepted request', threshold, { p99Ms: undefined as never }],
  ['a stream that planned nothing', { ...threshold, measure: 'error-share' }, { planned: 0, shed: 0, failed: 0 }],
])('a threshold of %s has no samples and fails', (_, one, found) => {
  expect(judgeThreshold(one, [result(found)])).toMatchObject({ value: undefined, met: false });
});
