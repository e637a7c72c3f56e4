import { afterAll, beforeAll, expect, it } from 'vitest';
import { StatementGate } from '../../statement/statement-gate.ts';
import { columnsRead } from './columns-read.ts';

let gate: StatementGate;
const own = new Set(['genre', 'user_id', 'user_age', 'dt', 'title']);

beforeAll(async () => {
  gate = await StatementGate.create({ database: 'bookstore', tables: ['purchases'] });
});
afterAll(() => gate.close());

it.each([
  ['SELECT genre, count(*) FROM purchases GROUP BY genre', ['genre']],
  ['SELECT count(*) FROM purchases', []],
  ['SELECT GENRE FROM purchases p WHERE p.user_age > 3 ORDER BY "title"', ['genre', 'title', 'user_age']],
  ["SELECT count(*) FROM purchases WHERE dt = '2019-12-01'", ['dt']],
  ['WITH a AS (SELECT user_id FROM purchases) SELECT * EXCLUDE (user_id) FROM a', 'all'],
  ['SELECT max(x) FROM (SELECT length(title) AS x FROM bookstore.purchases)', ['title']],
  ['SELECT count(*) FROM purchases a JOIN purchases b USING (user_id)', ['user_id']],
  ['SELECT purchases.genre FROM purchases', ['genre']],
  ["SELECT 'genre' FROM purchases", []],
  ['SELECT * FROM purchases', 'all'],
  ['SELECT COLUMNS(*) FROM purchases', 'all'],
  ['SELECT #1 FROM purchases', 'all'],
  ['SELECT p FROM purchases p', 'all'],
  ['SELECT purchases FROM purchases', 'all'],
  ['SELECT count(*) FROM purchases a NATURAL JOIN purchases b', 'all'],
  ['SELECT a FROM purchases t(a, b)', 'all'],
] as const)('the columns of %s are %j', async (sql, expected) => {
  const read = columnsRead(await gate.tree(sql));
  expect(read === undefined ? 'all' : [...read].filter((name) => own.has(name)).toSorted()).toEqual(expected);
});

it('a statement that cannot be parsed may read every column', () => {
  expect(columnsRead(undefined)).toBeUndefined();
});
