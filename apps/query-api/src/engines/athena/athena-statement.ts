import { offsetOfPosition, positionOf, type SourcePosition } from '../../statement/source-position.ts';
import type { StatementText } from '../../statement/statement-text.ts';
import { withZonedCasts } from '../../statement/zoned-timestamps.ts';
import type { Parameter } from '../query-engine.ts';
import { withLiterals } from './literals.ts';

/** A statement as Athena gets it. */
export interface AthenaStatement {
  readonly sql: string;
  /** Returns the place in the caller's statement of a line and a column that Athena reports. */
  readonly place: (line: number, column: number) => SourcePosition;
}

/** Writes a statement with its parameters for Athena. */
export function athenaStatement(statement: StatementText, parameters: readonly Parameter[]): AthenaStatement {
  const bound = withLiterals(statement, parameters);
  const cast = withZonedCasts(bound.text);
  return {
    sql: cast.text,
    place: (line, column) => {
      const offset = cast.originalOffset(offsetOfPosition(cast.text, { line, column }));
      const { line: row, column: at } = positionOf(statement.text, bound.originalOffset(offset));
      return { line: row, column: statement.columnOf?.(row, at) ?? at };
    },
  };
}
