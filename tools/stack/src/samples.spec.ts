import { expect, it } from 'vitest';
import { quantile } from './samples.ts';
import { tableText } from './table-text.ts';

it('quantile uses the nearest rank', () => {
  const values = Array.from({ length: 100 }, (_, n) => 100 - n);
  expect(quantile(values, 0.5)).toBe(50);
  expect(quantile(values, 0.99)).toBe(99);
  expect(quantile([7], 0.99)).toBe(7);
});

it('tableText groups digits and aligns numbers to the right', () => {
  expect(
    tableText(
      ['genre', 'purchases'],
      [
        ['Fiction', '12345'],
        ['Poetry', 7],
      ],
    ),
  ).toBe(['genre    purchases', '───────  ─────────', 'Fiction     12,345', 'Poetry           7'].join('\n'));
});

it('tableText does not group the digits of process ids', () => {
  expect(tableText(['name', 'pid'], [['kafka', '12345']], { grouped: false })).toBe(
    ['name     pid', '─────  ─────', 'kafka  12345'].join('\n'),
  );
});
