import type { StatementText } from '../../statement/statement-text.ts';
import { literalOf } from '../athena/literals.ts';
import type { Parameter } from '../query-engine.ts';

/** A statement as Trino gets it. */
export interface TrinoStatement {
  readonly sql: string;
  /** The column in the caller's statement of a column that Trino reports; both count from 1. */
  readonly column: (line: number, column: number) => number;
}

const prefix = "EXECUTE IMMEDIATE '";

/**
 * Writes a statement with its parameters. Trino binds the values itself, so that no value can become a part of the statement.
 */
export function trinoStatement({ text, placeholders, columnOf = same }: StatementText, parameters: readonly Parameter[]): TrinoStatement {
  if (placeholders.length === 0) return { sql: text, column: columnOf };
  return {
    sql: `${prefix}${text.replaceAll("'", "''")}' USING ${parameters.map(literalOf).join(', ')}`,
    // Trino counts from the beginning of the quoted statement, and counts a doubled quote once.
    column: (line, column) => columnOf(line, line === 1 ? Math.max(1, column - prefix.length) : column),
  };
}

function same(_line: number, column: number): number {
  return column;
}
