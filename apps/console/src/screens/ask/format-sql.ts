import type { EngineName } from '@millrace/contracts';
import { duckdb, formatDialect, trino } from 'sql-formatter';

/**
 * Formats a statement in the dialect of an engine: Athena runs Trino's SQL. Only white space and the case of keywords change. The library
 * is large, so import this module on demand.
 *
 * @returns undefined for a statement that the library cannot read, or would change in another way
 */
export function formatSql(sql: string, engine: EngineName): string | undefined {
  let formatted: string;
  try {
    formatted = formatDialect(sql, { dialect: engine === 'duckdb' ? duckdb : trino, keywordCase: 'upper', expressionWidth: 80 });
  } catch {
    return undefined;
  }
  return wordsOf(formatted) === wordsOf(sql) ? formatted : undefined;
}

function wordsOf(sql: string): string {
  return sql.replaceAll(/\s+/g, '').toLowerCase();
}
