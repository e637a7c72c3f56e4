import { QueryError } from '../errors.ts';
import { textOfPosition, type SourcePosition } from './source-position.ts';

/**
 * The error of a statement. Its violation has the place as fields, for programs; its texts begin with the place, for people.
 *
 * @param lead the begin of the detail, such as `Trino refuses the statement: `
 */
export function statementError(
  code: 'statement-invalid' | 'statement-not-allowed',
  lead: string,
  what: string,
  { position, end = '' }: { readonly position?: SourcePosition | undefined; readonly end?: string } = {},
): QueryError {
  const message = position === undefined ? what : `${textOfPosition(position)}: ${what}`;
  return new QueryError(code, `${lead}${message}${end}`, { errors: [{ field: 'sql', message, ...position }] });
}
