import { describe, expect, it } from 'vitest';
import { steadyPhase } from '../../load/generator/load-phase.ts';
import type { PhaseResult } from '../../load/generator/open-load.ts';
import { judgeDifference, judgeProbe } from './verdict.ts';

function phaseWith(accepted: number, p99s: readonly number[] = []): PhaseResult {
  const totals = {
    planned: 1000,
    sent: 1000,
    accepted,
    shed: 1000 - accepted,
    failed: 0,
    dropped: 0,
    p50Ms: 1,
    p99Ms: p99s.at(-1),
    maxMs: 9,
  };
  const point = { due: 100, accepted: 100, shed: 0, failed: 0, dropped: 0 };
  return {
    phase: steadyPhase('during', 10, { purchase: 100 }),
    beganSecond: 0,
    seconds: 10,
    totals: { purchase: totals },
    points: { purchase: p99s.map((p99Ms, second) => ({ second, ...point, p99Ms })) },
  };
}

describe('judgeProbe', () => {
  it('a probe of a phase that did not run has no samples and is not met', () => {
    expect(judgeProbe('after', { stream: 'purchase', measure: 'p99-ms', 'at-most': 5 }, undefined)).toMatchObject({
      value: undefined,
      met: false,
    });
  });

  it('a probe is met between its limits', () => {
    const probe = { stream: 'purchase', measure: 'accepted-share', 'at-least': 0.99 } as const;
    expect([990, 989].map((accepted) => judgeProbe('before', probe, phaseWith(accepted)).met)).toEqual([true, false]);
  });
});

describe('judgeDifference', () => {
  const share = { stream: 'purchase', measure: 'accepted-share', margin: 0.01 } as const;
  const time = { stream: 'purchase', measure: 'p99-ms', margin: 50 } as const;

  it('a group that loses more than the margin is worse', () => {
    expect(judgeDifference(share, phaseWith(1000), phaseWith(900)).met).toBe(false);
  });

  it('a significant difference within the margin is not worse', () => {
    expect(judgeDifference(share, phaseWith(1000), phaseWith(991)).met).toBe(true);
  });

  it('slow answers in most seconds are worse, and one slow second is not', () => {
    const usual = [10, 11, 12, 10, 11, 12, 10, 11];
    expect(
      judgeDifference(
        time,
        phaseWith(1000, usual),
        phaseWith(
          1000,
          usual.map((ms) => ms + 200),
        ),
      ).met,
    ).toBe(false);
    expect(judgeDifference(time, phaseWith(1000, usual), phaseWith(1000, [...usual.slice(1), 900])).met).toBe(true);
  });

  it('groups without answers cannot be compared, so the hypothesis is not met', () => {
    expect(judgeDifference(time, phaseWith(0), phaseWith(0))).toMatchObject({ value: undefined, met: false });
  });
});
