import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Parameter } from '../query-engine.ts';
import { runWith } from './bindings.ts';

let instance: DuckDBInstance;
let connection: DuckDBConnection;

beforeAll(async () => {
  instance = await DuckDBInstance.create(':memory:', { errors_as_json: 'true' });
  connection = await instance.connect();
});
afterAll(() => {
  connection.closeSync();
  instance.closeSync();
});

async function textOf(sql: string, parameters: readonly Parameter[]): Promise<unknown> {
  const result = await runWith(async () => await connection.prepare(`SELECT CAST((${sql}) AS VARCHAR)`), parameters);
  return (await result.getRowsJson())[0]?.[0];
}

describe('the type of a parameter', () => {
  it.each([
    [5, 'BIGINT'],
    [0, 'BIGINT'],
    [-2_147_483_649, 'BIGINT'],
    [Number.MAX_SAFE_INTEGER, 'BIGINT'],
    [Number.MIN_SAFE_INTEGER, 'BIGINT'],
    [1.5, 'DOUBLE'],
    [-0.25, 'DOUBLE'],
    [1e300, 'DOUBLE'],
    ['5', 'VARCHAR'],
    ['', 'VARCHAR'],
    [true, 'BOOLEAN'],
    [false, 'BOOLEAN'],
    [null, '"NULL"'],
  ])('the parameter %j has the type %s', async (value, type) => {
    expect(await textOf('typeof(?)', [value])).toBe(type);
  });
});

describe('whole numbers as parameters', () => {
  it.each<[string, readonly Parameter[], string]>([
    ["substr('Orlando', 1, ?)", [4], 'Orla'],
    ['round(24.56::DOUBLE, ?)', [1], '24.6'],
    ['round(2.345, ?)', [2], '2.35'],
    ['trunc(1.239, ?)', [2], '1.23'],
    ["DATE '2024-02-28' + ?", [2], '2024-03-01'],
    ["DATE '2024-03-01' - ?", [1], '2024-02-29'],
    ['make_date(?, ?, ?)', [2024, 2, 29], '2024-02-29'],
    ['list(n) FROM range(?) t(n)', [3], '[0, 1, 2]'],
    ["split_part('2024-02-29', '-', ?)", [1], '2024'],
    ['chr(?)', [65], 'A'],
    ['to_days(?)', [3], '3 days'],
    ["['a', 'b', 'c'][?]", [2], 'b'],
    ["left('Orlando', ?)", [2], 'Or'],
    ["regexp_extract('abc', '(b)(c)', ?)", [2], 'c'],
    ['factorial(?)', [5], '120'],
    ['1.5::DECIMAL(4,1) + ?', [1], '2.5'],
    ['? + ?', [Number.MAX_SAFE_INTEGER, 1], '9007199254740992'],
    // One number is beyond INTEGER and stays a BIGINT, and the other becomes an INTEGER.
    ['make_timestamp(?) + to_days(?) = make_timestamp(?) AND chr(?) IS NOT NULL', [0, 1, 86_400_000_000, 65], 'true'],
    ['CAST(1 -? AS INTEGER)', [-1], '2'],
    ['coalesce(?, 7)', [null], '7'],
  ])('%s takes the parameters %j', async (sql, parameters, text) => {
    expect(await textOf(sql.includes(' FROM ') ? `SELECT ${sql}` : sql, parameters)).toBe(text);
  });

  it('a statement that no type of the number fits fails with the error about BIGINT', async () => {
    await expect(textOf('md5(?)', [5])).rejects.toThrow(/BIGINT/);
  });
});
