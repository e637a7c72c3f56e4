import { describe, expect, it } from 'vitest';
import { figuresOf, type Measurement, quantile, ratioOf } from './figures.ts';

function measured(eventsPerSecond: number, more: Partial<Measurement> = {}): Measurement {
  return { eventsPerSecond, p50Ms: 1, p99Ms: 2, p999Ms: 3, cpuMicrosPerEvent: 50, refused: 0, ...more };
}

describe('figuresOf', () => {
  it('the figures are medians over the rounds, with the sum of all refused requests', () => {
    const figures = figuresOf('ours', [measured(100, { refused: 1 }), measured(900), measured(200, { refused: 2 })]);
    expect(figures).toContainEqual({ name: 'ours: accepted', value: 200, unit: 'events/s' });
    expect(figures).toContainEqual({ name: 'ours: not accepted', value: 3, unit: 'requests' });
  });

  it('the CPU figure is absent if a round lacks it', () => {
    const names = figuresOf('ours', [measured(1), measured(1, { cpuMicrosPerEvent: undefined })]).map(({ name }) => name);
    expect(names).toEqual(['ours: accepted', 'ours: p50', 'ours: p99', 'ours: p99.9', 'ours: not accepted']);
  });
});

describe('ratioOf', () => {
  it("the ratio is the median of the rounds' ratios, not the ratio of the medians", () => {
    const subject = [measured(50), measured(300), measured(90)];
    const reference = [measured(100), measured(300), measured(1000)];
    expect(ratioOf('r', 'eventsPerSecond', subject, reference)).toEqual([{ name: 'r', value: 0.5, unit: '×' }]);
  });

  it.each([
    [{ min: 0.85 }, 84, false, '≥ 0.85'],
    [{ min: 0.85 }, 85, true, '≥ 0.85'],
    [{ max: 1.25 }, 125, true, '≤ 1.25'],
    [{ max: 1.25 }, 126, false, '≤ 1.25'],
  ])('a ratio is judged by the target %j: %i of 100', (target, value, met, text) => {
    expect(ratioOf('r', 'eventsPerSecond', [measured(value)], [measured(100)], target)).toEqual([
      { name: 'r', value: value / 100, unit: '×', target: text, met },
    ]);
  });

  it('the ratio is absent if a measure is absent', () => {
    expect(ratioOf('r', 'cpuMicrosPerEvent', [measured(1)], [measured(1, { cpuMicrosPerEvent: undefined })])).toEqual([]);
  });
});

describe('quantile', () => {
  it('the quantile of 100 values has the given part of the values below it', () => {
    const values = Float64Array.from({ length: 100 }, (_, index) => index);
    expect([0.5, 0.99, 0.999, 1].map((part) => quantile(values, part))).toEqual([50, 99, 99, 99]);
    expect(quantile(new Float64Array(), 0.5)).toBe(0);
  });
});
