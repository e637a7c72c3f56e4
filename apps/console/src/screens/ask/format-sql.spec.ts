import { expect, it } from 'vitest';
import { formatSql } from './format-sql.ts';

it('a statement gets one clause a line and keywords in upper case; texts, comments and placeholders stay as they are', () => {
  const sql = `select title, count(*) as sold from purchases where genre = ? and author <> 'from  here' -- all days\ngroup by title`;
  const formatted = [
    'SELECT',
    '  title,',
    '  count(*) AS sold',
    'FROM',
    '  purchases',
    'WHERE',
    '  genre = ?',
    "  AND author <> 'from  here' -- all days",
    'GROUP BY',
    '  title',
  ].join('\n');
  for (const engine of ['duckdb', 'athena', 'trino'] as const) expect(formatSql(sql, engine)).toBe(formatted);
  expect(formatSql(formatted, 'duckdb')).toBe(formatted);
});

it('each engine has its dialect', () => {
  expect(formatSql('from purchases select * exclude (genre) qualify row_number() over (partition by title) = 1', 'duckdb')).toContain(
    'QUALIFY',
  );
  expect(formatSql('select * from t cross join unnest(a) with ordinality', 'athena')).toContain('CROSS JOIN');
});

it('a statement that cannot be read stays as it is', () => {
  for (const sql of ["SELECT 'open", 'SELECT (1', '}']) expect(formatSql(sql, 'duckdb')).toBeUndefined();
});
