import { expect, it } from 'vitest';
import { seededRandom } from '@millrace/testing';
import { judgeFlat, slopeOf, type TimedValue } from './trend.ts';

const series = (length: number, value: (second: number) => number): TimedValue[] =>
  Array.from({ length }, (_, second) => [second, value(second)] as const);

it('the slope of a line is its growth a second', () => {
  expect(slopeOf(series(100, (second) => 5 + 2 * second))).toBeCloseTo(2);
});

it('single outliers do not move the slope', () => {
  expect(slopeOf(series(100, (second) => (second % 10 === 0 ? 10_000 : 50)))).toBe(0);
});

it('a series with too few samples has no slope and is not flat', () => {
  expect(slopeOf(series(19, () => 1))).toBeUndefined();
  expect(
    judgeFlat(
      'lag',
      series(19, () => 1),
      1,
      100,
    ),
  ).toMatchObject({ value: undefined, met: false });
});

it('noise around a constant value is flat', () => {
  const random = seededRandom(7);
  expect(
    judgeFlat(
      'heap',
      series(600, () => 100 + 20 * random()),
      0.1,
      0,
    ).met,
  ).toBe(true);
});

it('a leak of a fifth of the value over the run is not flat', () => {
  const random = seededRandom(7);
  expect(
    judgeFlat(
      'heap',
      series(600, (second) => 100 + second / 24 + 20 * random()),
      0.1,
      0,
    ).met,
  ).toBe(false);
});

it('growth in the first fifth is warm-up', () => {
  expect(
    judgeFlat(
      'heap',
      series(600, (second) => Math.min(second, 100)),
      0.1,
      0,
    ).met,
  ).toBe(true);
});
