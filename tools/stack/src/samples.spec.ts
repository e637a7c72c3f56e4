import { expect, it } from 'vitest';
import { quantile } from './samples.ts';
import { tableText } from './table-text.ts';

it('takes quantiles by nearest rank', () => {
  const values = Array.from({ length: 100 }, (_, n) => 100 - n);
  expect(quantile(values, 0.5)).toBe(50);
  expect(quantile(values, 0.99)).toBe(99);
  expect(quantile([7], 0.99)).toBe(7);
});

it('writes a table with human numbers to the right', () => {
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

it('leaves process ids as they are', () => {
  expect(tableText(['name', 'pid'], [['kafka', '12345']], { grouped: false })).toBe(
    ['name     pid', '─────  ─────', 'kafka  12345'].join('\n'),
  );
});
