import { describe, expect, it } from 'vitest';
import { faultKinds, planFaults } from './fault-plan.ts';

describe('the plan of a crash matrix', () => {
  it('is the same for the same seed, and another for another', () => {
    const plan = planFaults({ faults: 100, seed: 7, sinks: 2 });
    expect(planFaults({ faults: 100, seed: 7, sinks: 2 })).toEqual(plan);
    expect(planFaults({ faults: 100, seed: 8, sinks: 2 })).not.toEqual(plan);
  });

  it('is the same for the same kinds in any order, and another for others', () => {
    const plan = planFaults({ faults: 50, seed: 7, sinks: 2, kinds: ['sink-frozen', 'kafka-killed', 's3-409'] });
    expect(new Set(plan.map(({ kind }) => kind))).toEqual(new Set(['sink-frozen', 'kafka-killed', 's3-409']));
    expect(planFaults({ faults: 50, seed: 7, sinks: 2, kinds: ['s3-409', 'kafka-killed', 'sink-frozen'] })).toEqual(plan);
    expect(planFaults({ faults: 50, seed: 7, sinks: 2, kinds: ['kafka-killed', 's3-409'] })).not.toEqual(plan);
  });

  it('holds every kind equally often', () => {
    const plan = planFaults({ faults: faultKinds.length * 3, seed: 1, sinks: 2 });
    for (const kind of faultKinds) expect(plan.filter((fault) => fault.kind === kind)).toHaveLength(3);
  });

  it('errs inside a 200 only for a copy, and with 409 only for the conditional write', () => {
    const plan = planFaults({ faults: 500, seed: 3, sinks: 2 });
    expect(new Set(plan.flatMap(({ kind, step }) => (kind === 's3-200-error' ? [step] : [])))).toEqual(new Set(['publish']));
    expect(new Set(plan.flatMap(({ kind, step }) => (kind === 's3-409' ? [step] : [])))).toEqual(new Set(['record']));
  });
});
