import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { allowedFunctions } from '../../statement/allowed-functions.ts';
import { duckDbTextOf } from '../../statement/duckdb-dialect.ts';
import { readStatement } from '../../statement/statement-text.ts';
import { cellOf } from './duckdb-cells.ts';
import { trinoMacros } from './trino-macros.ts';

let instance: DuckDBInstance;
let connection: DuckDBConnection;

beforeAll(async () => {
  instance = await DuckDBInstance.create(':memory:');
  connection = await instance.connect();
  await connection.run("SET TimeZone = 'UTC'");
  for (const macro of trinoMacros) await connection.run(`CREATE MACRO ${macro}`);
  await connection.run("CREATE VIEW purchases AS SELECT 'Orlando' AS title FROM range(100)");
});
afterAll(() => {
  connection.closeSync();
  instance.closeSync();
});

async function valueOf(sql: string): Promise<unknown> {
  const result = await connection.run(duckDbTextOf(readStatement(sql)).text);
  const chunk = await result.fetchChunk();
  return cellOf(chunk!.getColumnVector(0), 0);
}

// Trino gives these values.
it.each<[string, unknown]>([
  ["SELECT date_add('day', 1, DATE '2024-02-28')", '2024-02-29'],
  ["SELECT date_add('MONTH', -1, DATE '2024-03-31')", '2024-02-29'],
  ["SELECT date_add('hour', 25, TIMESTAMP '2024-02-28 00:00:00')", '2024-02-29 01:00:00'],
  ["SELECT date_add('minute', 1, TIMESTAMP '2024-02-29 12:00:00 UTC')", '2024-02-29 12:01:00 UTC'],
  ["SELECT date_add(DATE '2024-02-28', INTERVAL 1 DAY)", '2024-02-29 00:00:00'],
  ["SELECT cardinality(map_agg(k, v)) FROM (VALUES ('a', 1), ('b', 2)) t(k, v)", '2'],
  ['SELECT cardinality(ARRAY[1, 2])', '2'],
  ['SELECT cardinality(ARRAY[])', '0'],
  ['SELECT transform(ARRAY[1, 2, 3], x -> x * 2)', '[2,4,6]'],
  ['SELECT reduce(ARRAY[1, 2, 3], 0, (s, x) -> s + x, s -> s)', 6],
  ['SELECT reduce(ARRAY[1, 2, 3], 100, (s, x) -> s - x, s -> s * 10)', 940],
  ['SELECT reduce(CAST(NULL AS INTEGER[]), 0, (s, x) -> s + x, s -> s)', null],
  ['SELECT reduce(transform(ARRAY[1, 2], x -> x + 1), 0, (s, x) -> s + x, s -> reduce(ARRAY[s, 1], 0, (a, b) -> a + b, a -> a))', 6],
  ["SELECT date_format(TIMESTAMP '2024-02-29 13:05:09', '%Y-%m-%d %H:%i:%s')", '2024-02-29 13:05:09'],
  ["SELECT date_format(TIMESTAMP '2024-02-09 13:05:09', '100%% %W %e %M %T')", '100% Friday 9 February 13:05:09'],
  ["SELECT date_parse('2024-02-29 13:05', '%Y-%m-%d %H:%i')", '2024-02-29 13:05:00'],
  ["SELECT format_datetime(TIMESTAMP '2024-02-29 13:05:09', 'yyyy-MM-dd HH:mm')", '2024-02-29 13:05'],
  ["SELECT format_datetime(TIMESTAMP '2024-02-29 13:05:09', 'EEEE d MMMM ''at'' h.mm a, 5%')", 'Thursday 29 February at 1.05 PM, 5%'],
  ["SELECT parse_datetime('2024-02-29', 'yyyy-MM-dd')", '2024-02-29 00:00:00 UTC'],
  ["SELECT from_iso8601_timestamp('2024-02-29T13:05:09Z')", '2024-02-29 13:05:09 UTC'],
  ["SELECT from_iso8601_timestamp('2024-02-29T13:05:09+02:00')", '2024-02-29 11:05:09 UTC'],
  ["SELECT at_timezone(TIMESTAMP '2024-02-29 12:00:00 UTC', 'Europe/Berlin')", '2024-02-29 13:00:00 Europe/Berlin'],
  ["SELECT last_day_of_month(DATE '2024-02-10')", '2024-02-29'],
  ['SELECT slice(ARRAY[1, 2, 3, 4], 2, 2)', '[2,3]'],
  ['SELECT slice(ARRAY[1, 2, 3, 4], -2, 2)', '[3,4]'],
  ['SELECT bitwise_and(6, 3) + 10 * bitwise_or(6, 3) + 100 * bitwise_xor(6, 3)', 572],
  ['SELECT truncate(2.7)', '2'],
  ['SELECT truncate(-2.7)', '-2'],
  ["SELECT codepoint('A')", 65],
  ["SELECT url_extract_host('https://example.org:8080/a?b=c')", 'example.org'],
  ["SELECT url_extract_port('https://user@example.org:8080/a?b=c')", '8080'],
  ["SELECT url_extract_path('https://example.org:8080/a/b?c=d')", '/a/b'],
  ["SELECT url_extract_query('https://example.org/a?b=c&d=e#f')", 'b=c&d=e'],
  ["SELECT url_extract_protocol('https://example.org/')", 'https'],
  ['SELECT rand() >= 0 AND rand() < 1', true],
  ['SELECT count(*) <= (SELECT count(*) FROM purchases) FROM purchases TABLESAMPLE BERNOULLI (50)', true],
  ['SELECT count(*) FROM purchases TABLESAMPLE BERNOULLI (100)', '100'],
  ["SELECT regexp_count('1a 2b 14m', '\\d+')", '3'],
  ['SELECT array_union(ARRAY[1], ARRAY[1]) = ARRAY[1] AND arrays_overlap(ARRAY[1, 2], ARRAY[2]) AND array_max(ARRAY[1, 5, 2]) = 5', true],
  ['SELECT json_format(json_parse(\'{"a": 1}\'))', '{"a": 1}'],
  ['SELECT every(x > 0) AND is_nan(nan()) AND is_infinite(infinity()) FROM (VALUES (1), (2)) t(x)', true],
  ["SELECT day_of_week(DATE '2024-03-03') + 10 * year_of_week(DATE '2024-12-30')", '20257'],
])('%s gives %j', async (sql, value) => {
  expect(await valueOf(sql)).toBe(value);
});

it.each([
  ["SELECT date_format(TIMESTAMP '2024-02-29 13:05:09', '%D')", /%\?/],
  ["SELECT format_datetime(TIMESTAMP '2024-02-29 13:05:09', 'yyyy Q')", /%\?/],
  ["SELECT date_add('fortnight', 1, DATE '2024-02-28')", /does not know the unit fortnight/],
  ["SELECT date_add('hour', 1, DATE '2024-02-28')", /does not know the unit hour/],
  ['SELECT slice(ARRAY[1], 0, 1)', /counts from 1/],
])('%s fails', async (sql, message) => {
  await expect(valueOf(sql)).rejects.toThrow(message);
});

it('each macro is a function that the gate lets pass', () => {
  const names = trinoMacros.map((macro) => /^\w+/.exec(macro)![0]);
  expect(names.filter((name) => !allowedFunctions.has(name))).toEqual([]);
  expect(new Set(names).size).toBe(names.length);
});
