import { describe, expect, it } from 'vitest';
import { faultKinds, planFaults } from './fault-plan.ts';

describe('planFaults', () => {
  it('the same seed gives the same plan, and another seed gives another plan', () => {
    const plan = planFaults({ faults: 100, seed: 7, sinks: 2 });
    expect(planFaults({ faults: 100, seed: 7, sinks: 2 })).toEqual(plan);
    expect(planFaults({ faults: 100, seed: 8, sinks: 2 })).not.toEqual(plan);
  });

  it('the order of the kinds does not change the plan, but other kinds do', () => {
    const plan = planFaults({ faults: 50, seed: 7, sinks: 2, kinds: ['sink-frozen', 'kafka-killed', 's3-409'] });
    expect(new Set(plan.map(({ kind }) => kind))).toEqual(new Set(['sink-frozen', 'kafka-killed', 's3-409']));
    expect(planFaults({ faults: 50, seed: 7, sinks: 2, kinds: ['s3-409', 'kafka-killed', 'sink-frozen'] })).toEqual(plan);
    expect(planFaults({ faults: 50, seed: 7, sinks: 2, kinds: ['kafka-killed', 's3-409'] })).not.toEqual(plan);
  });

  it('the plan has each kind equally often', () => {
    const plan = planFaults({ faults: faultKinds.length * 3, seed: 1, sinks: 2 });
    for (const kind of faultKinds) expect(plan.filter((fault) => fault.kind === kind)).toHaveLength(3);
  });

  it('s3-200-error occurs only at a copy, and s3-409 only at the conditional write', () => {
    const plan = planFaults({ faults: 500, seed: 3, sinks: 2 });
    expect(new Set(plan.flatMap(({ kind, step }) => (kind === 's3-200-error' ? [step] : [])))).toEqual(new Set(['publish']));
    expect(new Set(plan.flatMap(({ kind, step }) => (kind === 's3-409' ? [step] : [])))).toEqual(new Set(['record']));
  });
});
