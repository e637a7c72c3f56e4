import { describe, expect, it } from 'vitest';
import type { Column, Row } from '../../../parts/grid/cells.ts';
import { categoriesMax, chartOf, type ChartChoice } from './chart-data.ts';
import { chartText, placeText, valueText } from './chart-text.ts';
import { timeLabels } from './time-labels.ts';

const title: Column = { name: 'title', type: 'varchar' };
const day: Column = { name: 'dt', type: 'varchar' };
const at: Column = { name: 'at', type: 'timestamp(6)' };
const sold: Column = { name: 'sold', type: 'bigint' };
const share: Column = { name: 'share', type: 'double' };

describe('chartOf', () => {
  it('a column of texts gives bars of the first column of numbers, in the order of the rows', () => {
    expect(
      chartOf(
        [title, sold, share],
        [
          ['b', '2', 0.5],
          ['a', '9007199254740993', null],
          [null, null, 1],
        ],
      ),
    ).toEqual({
      kind: 'category',
      axis: 'title',
      positions: [0, 1, 2],
      labels: ['b', 'a', 'NULL'],
      series: [{ name: 'sold', values: [2, 9007199254740992, null] }],
      leftOut: 0,
    });
  });

  it('times and texts that are dates give lines of every column of numbers, from the oldest on', () => {
    const days = chartOf(
      [title, day, sold, share],
      [
        ['x', '2026-11-30', '1', 2],
        ['y', '2026-11-29', '3', Number.NaN],
        ['z', null, '9', 9],
      ],
    );
    expect(days).toEqual({
      kind: 'time',
      axis: 'dt',
      positions: [Date.UTC(2026, 10, 29) / 1000, Date.UTC(2026, 10, 30) / 1000],
      labels: [],
      series: [
        { name: 'sold', values: [3, 1] },
        { name: 'share', values: [null, 2] },
      ],
      leftOut: 1,
    });
    const rows: Row[] = [
      ['2026-11-30 13:05:09.123456', '1'],
      ['2026-11-30 13:05:09.5 UTC', '2'],
      ['infinity', '3'],
    ];
    expect(chartOf([at, sold], rows)).toMatchObject({ positions: [1796043909.123, 1796043909.5], leftOut: 1 });
    expect(chartOf([day, sold], [['2026-13-45', '1']])).toMatchObject({ kind: 'category' });
  });

  it('numbers alone give lines over the first of them, and one column over the number of its row', () => {
    expect(
      chartOf(
        [sold, share],
        [
          ['2', 0.5],
          ['1', 1],
        ],
      ),
    ).toMatchObject({ kind: 'number', axis: 'sold', positions: [1, 2] });
    const lonely = chartOf([sold], [['5'], ['7']])!;
    expect(lonely).toMatchObject({ kind: 'number', positions: [1, 2], series: [{ name: 'sold', values: [5, 7] }] });
    expect(lonely.axis).toBeUndefined();
  });

  it.each<[ChartChoice, object | undefined]>([
    [{ axis: 1 }, { kind: 'number', axis: 'sold', series: [{ name: 'share' }] }],
    [{ value: 2 }, { kind: 'category', series: [{ name: 'share' }] }],
    // The value of another axis is no longer there.
    [
      { axis: 2, value: 2 },
      { axis: 'share', series: [{ name: 'sold' }] },
    ],
  ])('the choice %j is followed', (choice, expected) => {
    expect(chartOf([title, sold, share], [['a', '1', 2]], choice)).toMatchObject(expected!);
  });

  it('a result without numbers has no chart, and more categories than fit are left out', () => {
    expect(chartOf([title, at], [['a', '2026-11-30 00:00:00']])).toBeUndefined();
    const many = chartOf(
      [title, sold],
      Array.from({ length: 100 }, (_, n) => [`t${n}`, String(n)]),
    );
    expect([many?.positions.length, many?.leftOut]).toEqual([categoriesMax, 100 - categoriesMax]);
  });
});

describe('the text of a chart', () => {
  it('a chart is described by its kind, its axis and the range of each series', () => {
    const days = chartOf(
      [day, sold, share],
      [
        ['2026-11-29', '3', null],
        ['2026-11-30', '1234567', null],
      ],
    )!;
    expect(chartText(days)).toBe('Lines by dt: 2 points, from 2026-11-29 to 2026-11-30. sold: 3 to 1,234,570. share: no value.');
    expect(chartText(chartOf([title, sold], [['a', '1']])!)).toBe('Bars by title: 1 bar, from a to a. sold: 1 to 1.');
    expect(chartText(chartOf([at, sold], [[null, '1']])!)).toBe('No row has a place on this axis.');
  });

  it('a place has the text of its kind', () => {
    const times = chartOf(
      [at, sold],
      [
        ['2026-11-30 00:00:00', '1'],
        ['2026-11-30 13:05:09', '2'],
        ['2026-11-30 13:05:09.5', '2'],
      ],
    )!;
    expect([0, 1, 2, 3].map((index) => placeText(times, index))).toEqual([
      '2026-11-30',
      '2026-11-30 13:05:09',
      '2026-11-30 13:05:09.500',
      '',
    ]);
    expect([valueText(null), valueText(0.125)]).toEqual(['no value', '0.125']);
  });
});

it.each([
  [86_400, [0, 86_400], ['2026-11-30', '2026-12-01']],
  [3600, [79_200, 82_800, 86_400], ['22:00\n2026-11-30', '23:00', '00:00\n2026-12-01']],
  [10, [10], ['00:00:10\n2026-11-30']],
  [0.5, [0.5], ['00:00:00.500\n2026-11-30']],
])('with steps of %d s the axis of a chart has dates, or times with the date where a day begins', (step, places, labels) => {
  const midnight = Date.UTC(2026, 10, 30) / 1000;
  const splits = places.map((seconds) => midnight + seconds);
  expect(timeLabels(undefined, splits, 0, 0, step)).toEqual(labels);
});
