import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import type { ColumnBounds } from '@millrace/lake';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Parameter } from '../engines/query-engine.ts';
import { StatementGate } from './statement-gate.ts';
import { tableReads } from './table-reads.ts';

let gate: StatementGate;
let connection: DuckDBConnection;
const dt = '2019-12-01';
const start = Date.UTC(2019, 11, 1, 10) * 1000;

// A file with the hours from 10 to 12, the genres from Crime to Poetry and ages from 20 to 40.
const bounds: ColumnBounds = new Map<string, readonly [string | number, string | number]>([
  ['purchase_timestamp', [start, start + 7_200_000_000]],
  ['genre', ['Crime', 'Poetry']],
  ['user_age', [20, 40]],
]);

beforeAll(async () => {
  gate = await StatementGate.create({ database: 'bookstore', tables: ['purchases'] });
  connection = await (await DuckDBInstance.create(':memory:')).connect();
  // The bounds, values between them, and NULLs: all rows that such a file may have, as far as comparisons can tell.
  await connection.run(`CREATE TABLE purchases AS SELECT * FROM
    (SELECT unnest([make_timestamp(${start}), make_timestamp(${start + 3_600_000_000}), make_timestamp(${start + 7_200_000_000}), NULL]) AS purchase_timestamp),
    (SELECT unnest(['Crime', 'Fiction', 'Poetry', NULL]) AS genre), (SELECT unnest([20, 30, 40, NULL]::INT[]) AS user_age), (SELECT '${dt}' AS dt)`);
});
afterAll(() => {
  gate.close();
  connection.closeSync();
});

async function isRead(condition: string, parameters: readonly Parameter[] = []): Promise<boolean> {
  const tree = await gate.tree(`SELECT * FROM purchases p WHERE ${condition}`);
  const reads = tableReads(tree!, [{ name: 'purchases', partitionKey: 'dt' }], parameters);
  return reads.get('purchases')!(dt, bounds);
}

it.each([
  "purchase_timestamp < TIMESTAMP '2019-12-01 10:00:00'",
  "purchase_timestamp > TIMESTAMP '2019-12-01 12:00:00'",
  "purchase_timestamp >= TIMESTAMP '2019-12-01 12:00:00.000001'",
  "TIMESTAMP '2019-12-01 09:59:59' >= p.purchase_timestamp",
  "purchase_timestamp >= DATE '2019-12-02'",
  "purchase_timestamp BETWEEN TIMESTAMP '2019-12-01 13:00:00' AND TIMESTAMP '2019-12-01 14:00:00'",
  "genre = 'Adventure'",
  "genre = 'Science Fiction' OR user_age = 41",
  'user_age > 40',
  'NOT (user_age >= 20)',
  "genre >= 'A' AND user_age < 20",
])('a file is left out under %s', async (condition) => {
  expect(await isRead(condition)).toBe(false);
});

it.each([
  "purchase_timestamp <= TIMESTAMP '2019-12-01 10:00:00'",
  "purchase_timestamp >= TIMESTAMP '2019-12-01 12:00:00'",
  "genre = 'Fiction'",
  "genre <> 'Crime'",
  'user_age = 40',
  'user_age = 40.0',
  'user_age IS NULL',
  'user_age > 40 OR user_age IS NULL',
  'NOT (user_age > 30)',
  "user_age > length('41')",
  "lower(genre) = 'adventure'",
  "CAST(purchase_timestamp AS DATE) = DATE '2019-12-01'",
  "title = 'Orlando'",
])('a file is read under %s', async (condition) => {
  expect(await isRead(condition)).toBe(true);
});

it('parameters are compared as literals are', async () => {
  expect(await isRead('user_age > ?', [40])).toBe(false);
  expect(await isRead('user_age > ?', [39])).toBe(true);
  expect(await isRead('genre = ?', ['Adventure'])).toBe(false);
  expect(await isRead('purchase_timestamp >= CAST(? AS TIMESTAMP)', ['2019-12-01 13:00:00'])).toBe(false);
});

it('a file that is left out has no row for which the condition is true', async () => {
  const comparisons = ['=', '<', '<=', '>', '>='];
  const operands = [
    ...[19, 20, 30, 40, 41].map((value) => ['user_age', String(value)]),
    ...['Adventure', 'Crime', 'Fiction', 'Poetry', 'Zoo'].map((value) => ['genre', `'${value}'`]),
    ...['09:59:59', '10:00:00', '11:00:00', '12:00:00', '12:00:01'].map((value) => [
      'purchase_timestamp',
      `TIMESTAMP '2019-12-01 ${value}'`,
    ]),
  ] as const;
  const simple = operands.flatMap(([column, value]) =>
    comparisons.flatMap((comparison) => [`${column} ${comparison} ${value}`, `NOT (${value} ${comparison} ${column})`]),
  );
  const conditions = [...simple, ...simple.map((one, index) => `(${one}) AND NOT (${simple[(index * 7 + 3) % simple.length]})`)];
  let leftOut = 0;
  for (const condition of conditions) {
    const rows = Number((await connection.runAndReadAll(`SELECT count(*) FROM purchases p WHERE ${condition}`)).getRows()[0]![0]);
    const read = await isRead(condition);
    if (!read) leftOut += 1;
    expect([condition, rows > 0 && !read]).toEqual([condition, false]);
  }
  expect(leftOut).toBeGreaterThan(50);
});
