import { purchases } from '@millrace/contracts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readStatement } from '../statement/statement-text.ts';
import { StatementGate } from '../statement/statement-gate.ts';
import { icebergStatement } from './iceberg-statement.ts';

let gate: StatementGate;
beforeAll(async () => {
  gate = await StatementGate.create({ database: 'bookstore', tables: ['purchases'] });
});
afterAll(() => gate.close());

const table = { stream: purchases, name: '"iceberg"."bookstore"."purchases_iceberg"', snapshotId: 7 };
const names = [...purchases.columns.map(({ name }) => name), 'dt'].map((name) => `"${name}"`).join(', ');
const subquery = `(SELECT ${names} FROM "iceberg"."bookstore"."purchases_iceberg" FOR VERSION AS OF 7)`;

async function written(sql: string) {
  const statement = readStatement(sql);
  return icebergStatement(statement, (await gate.tree(statement.text))!, 'bookstore', [table]);
}

it.each([
  ['SELECT count(*) FROM purchases', `SELECT count(*) FROM ${subquery} AS purchases`],
  ['SELECT p.genre FROM bookstore.purchases p', `SELECT p.genre FROM ${subquery} p`],
  ['SELECT purchases.genre FROM Purchases', `SELECT purchases.genre FROM ${subquery} AS Purchases`],
  ['SELECT bookstore.purchases.genre FROM bookstore.purchases', `SELECT purchases.genre FROM ${subquery} AS purchases`],
  ['SELECT 1 FROM "purchases" AS a, purchases b', `SELECT 1 FROM ${subquery} AS a, ${subquery} b`],
  [
    "SELECT 'purchases' AS purchases FROM (SELECT 1 FROM purchases) x WHERE 'é' <> ''",
    `SELECT 'purchases' AS purchases FROM (SELECT 1 FROM ${subquery} AS purchases) x WHERE 'é' <> ''`,
  ],
  [
    "WITH a AS (SELECT 'é' AS é FROM purchases) SELECT * FROM a",
    `WITH a AS (SELECT 'é' AS é FROM ${subquery} AS purchases) SELECT * FROM a`,
  ],
])('%s reads the snapshot', async (sql, expected) => {
  expect((await written(sql))!.text).toBe(expected);
});

it('a statement whose WITH query has the name of the table is not written again', async () => {
  expect(await written('WITH purchases AS (SELECT 1 AS a FROM bookstore.purchases) SELECT a FROM purchases')).toBeUndefined();
});

it('each placeholder keeps its place', async () => {
  const statement = (await written('SELECT ? FROM purchases WHERE genre = ? AND dt = ?'))!;
  expect(statement.placeholders.map((at) => statement.text[at])).toEqual(['?', '?', '?']);
  expect(new Set(statement.placeholders).size).toBe(3);
});

it('a column of the written statement is that of the original, before and after a table', async () => {
  const sql = 'SELECT genre,\n x FROM purchases WHERE nothing = 1';
  const { text, columnOf } = (await written(sql))!;
  expect(columnOf!(1, 8)).toBe(8);
  const [, line] = text.split('\n');
  expect(columnOf!(2, line!.indexOf('nothing') + 1)).toBe(sql.split('\n')[1]!.indexOf('nothing') + 1);
});
