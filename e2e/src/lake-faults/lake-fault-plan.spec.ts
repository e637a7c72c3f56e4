import { describe, expect, it } from 'vitest';
import { lakeFaultKinds, lakeSteps, planLakeFaults } from './lake-fault-plan.ts';

describe('planLakeFaults', () => {
  const plan = planLakeFaults({ faults: 600, seed: 7, projectors: 2 });

  it('the same seed gives the same plan, and another seed gives another plan', () => {
    expect(planLakeFaults({ faults: 600, seed: 7, projectors: 2 })).toEqual(plan);
    expect(planLakeFaults({ faults: 600, seed: 8, projectors: 2 })).not.toEqual(plan);
  });

  it('the plan has each kind equally often, and covers every step and projector', () => {
    for (const kind of lakeFaultKinds) expect(plan.filter((fault) => fault.kind === kind)).toHaveLength(600 / lakeFaultKinds.length);
    expect(new Set(plan.map(({ step }) => step))).toEqual(new Set(lakeSteps));
    expect(new Set(plan.map(({ projector }) => projector))).toEqual(new Set([0, 1]));
  });

  it('no projector is frozen past the grace period while it writes the hint, because that write has no condition', () => {
    const frozen = plan.filter(({ kind }) => kind === 'frozen-past-grace');
    expect(frozen.map(({ step }) => step)).not.toContain('hint');
  });
});
