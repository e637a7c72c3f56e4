import { expect, it } from 'vitest';
import { dedupOffsets, newestRanges, rangesAround, rangesBefore } from './search-ranges.ts';

const log = [
  { partition: 0, low: 0, high: 100 },
  { partition: 1, low: 40, high: 50 },
];

const at = (first: number, ...second: number[]): ReadonlyMap<number, number> =>
  new Map([[0, first] as const, ...second.map((offset) => [1, offset] as const)]);

it('an event with a time in its id is searched after that time, then later, then shortly before', () => {
  expect(rangesAround(log, [at(10, 40), at(20), at(60)])).toEqual([
    [
      { partition: 0, from: 20, to: 60 },
      { partition: 1, from: 50, to: 50 },
    ],
    [
      { partition: 0, from: 60, to: 100 },
      { partition: 1, from: 50, to: 50 },
    ],
    [
      { partition: 0, from: 10, to: 20 },
      { partition: 1, from: 40, to: 50 },
    ],
  ]);
});

it('an event without a time in its id is searched in the newest records', () => {
  expect(newestRanges(log, 20)).toEqual([
    [
      { partition: 0, from: 90, to: 100 },
      { partition: 1, from: 40, to: 50 },
    ],
  ]);
});

it('the row of a dropped record is searched in the deduplication window before it', () => {
  expect(rangesBefore(log, 0, 70)).toEqual([[{ partition: 0, from: 0, to: 70 }]]);
  expect(rangesBefore([{ partition: 0, low: 5, high: 900_000 }], 0, 800_000)).toEqual([
    [{ partition: 0, from: 800_000 - dedupOffsets, to: 800_000 }],
  ]);
});
