import { expect, it } from 'vitest';
import { priceOf } from './price.ts';

const mebibyte = 1024 ** 2;

it.each([
  [0, 10 * mebibyte],
  [10 * mebibyte, 10 * mebibyte],
  [10 * mebibyte + 1, 11 * mebibyte],
  [1024 ** 4, 1024 ** 4],
])('Athena bills %d scanned bytes as %d', (scanned, billed) => {
  expect(priceOf('athena', scanned, 5)).toEqual({ billedBytes: billed, usd: (billed / 1024 ** 4) * 5 });
});

it('engines of our own bill no bytes', () => {
  expect([priceOf('duckdb', 100, 5), priceOf('trino', 100, 5)]).toEqual([undefined, undefined]);
});
