import { describe, expect, it } from 'vitest';
import { duckDbTextOf, refuseMissing } from './duckdb-dialect.ts';

const textOf = (text: string): string => duckDbTextOf({ text }).text;

it.each([
  ['SELECT 1', 'SELECT 1'],
  ['FROM t TABLESAMPLE BERNOULLI (50)', 'FROM t TABLESAMPLE BERNOULLI (50%)'],
  ['FROM t tablesample system(2.5), u', 'FROM t tablesample system(2.5%), u'],
  ['FROM t TABLESAMPLE RESERVOIR (50)', 'FROM t TABLESAMPLE RESERVOIR (50)'],
  ["SELECT 'TABLESAMPLE BERNOULLI (50)'", "SELECT 'TABLESAMPLE BERNOULLI (50)'"],
  ["SELECT TIMESTAMP '2024-02-29 12:00:00 UTC'", "SELECT TIMESTAMPTZ '2024-02-29 12:00:00 UTC'"],
  ["SELECT timestamp'2024-02-29T12:00:00Z'", "SELECT TIMESTAMPTZ'2024-02-29T12:00:00Z'"],
  ["SELECT TIMESTAMP '2024-02-29 12:00:00.5+02:00'", "SELECT TIMESTAMPTZ '2024-02-29 12:00:00.5+02:00'"],
  ["SELECT TIMESTAMP '2024-02-29 12:00 Europe/Berlin'", "SELECT TIMESTAMPTZ '2024-02-29 12:00 Europe/Berlin'"],
  ["SELECT TIMESTAMP '2024-02-29 12:00:00'", "SELECT TIMESTAMP '2024-02-29 12:00:00'"],
  ["SELECT TIMESTAMP '2024-02-29'", "SELECT TIMESTAMP '2024-02-29'"],
  ["SELECT TIMESTAMP '2024-02-29T12:00:00'", "SELECT TIMESTAMP '2024-02-29T12:00:00'"],
  ['SELECT transform(a, x -> x * 2)', 'SELECT list_transform(a, x -> x * 2)'],
  ['SELECT "transform"(a), t.transform(a), transform', 'SELECT "transform"(a), t.transform(a), transform'],
  [
    'SELECT reduce(a, ?, (s, x) -> s + x, s -> s)',
    'SELECT list_extract(list_transform([list_reduce(list_reverse(list_reverse(a) || [ ?]), (s, x) -> s + x)], s -> s), 1)',
  ],
  ['SELECT reduce(a, (s, x) -> s + x)', 'SELECT reduce(a, (s, x) -> s + x)'],
])('%s is %s to DuckDB', (statement, text) => {
  expect(textOf(statement)).toBe(text);
});

it.each([
  ['SELECT checksum(title) FROM purchases', /line 1, column 8: DuckDB does not offer the function checksum; the nearest is bit_xor/],
  ['SELECT count(DISTINCT "$path") FROM purchases', /line 1, column 23: DuckDB does not offer the column "\$path"/],
])('%s is refused with the place and the missing name', (statement, message) => {
  expect(() => refuseMissing({ text: statement })).toThrow(message);
});

it('the dialect accepts names of objects and names that are not functions of Trino', () => {
  expect(() => refuseMissing({ text: 'SELECT checksum, constructor(1), "checksum" FROM t' })).not.toThrow();
});

describe('positions', () => {
  it('the positions are those of the statement as it was written', () => {
    const statement =
      'SELECT transform(a, x -> x), reduce(a, 0, (s, x) -> s, s -> s), unknown FROM t TABLESAMPLE BERNOULLI (5) WHERE wrong';
    const { text, originalOffset } = duckDbTextOf({ text: statement });
    for (const word of ['SELECT', 'x -> x)', '0', '(s, x) -> s', 's -> s)', 'unknown', 'FROM', 'TABLESAMPLE', 'WHERE', 'wrong']) {
      expect(originalOffset(text.indexOf(word))).toBe(statement.indexOf(word));
    }
    expect(originalOffset(text.length)).toBe(statement.length);
  });
});
