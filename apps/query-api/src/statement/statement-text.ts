import { QueryError } from '../errors.ts';
import { foldName } from './fold.ts';
import { positionOf, textOfPosition } from './source-position.ts';
import { statementError } from './statement-error.ts';

/** A statement reduced to the lexical rules that every engine shares. */
export interface StatementText {
  /** The statement with each comment and the final semicolon blanked out, character for character: positions stay true. */
  readonly text: string;
  /** Offsets of the `?` placeholders in `text`. */
  readonly placeholders: readonly number[];
  /** The column in the caller's statement of a column in `text`, both from 1. Lines are the same. Absent: the columns are the same, too. */
  readonly columnOf?: (line: number, column: number) => number;
}

const wordCharacter = /[\p{L}\p{N}_$]/u;
/** Words that begin with a digit and are numbers: `1e` is the beginning of `1e-5`. */
const numberWord = /^(?:\d[\d_]*(?:e\d*)?|0[box][\da-f_]+)$/i;

/**
 * Reads a statement by the lexical rules that DuckDB, Athena and Trino share. Their lexers differ: DuckDB nests comments and Trino
 * does not, and only DuckDB knows `E'…'` and `$$…$$`. One text could be one statement to the gate's parser and another to the
 * engine. Comments are therefore blanked out, and the other forms are refused.
 *
 * @throws QueryError `statement-invalid` for an unterminated quote or comment or a form outside the shared rules,
 * `statement-not-allowed` for a second statement
 */
export function readStatement(sql: string): StatementText {
  // A lone surrogate reaches the engines as another character than the one that was checked.
  if (!sql.isWellFormed()) throw invalid(sql, unpairedAt(sql), 'an unpaired surrogate is not allowed');
  const out = sql.split('');
  const placeholders: number[] = [];
  const blank = (from: number, to: number): void => {
    for (let at = from; at < to; at += 1) if (out[at] !== '\n') out[at] = ' ';
  };
  let end: number | undefined;
  let at = 0;
  while (at < sql.length) {
    const character = sql[at]!;
    const pair = sql.slice(at, at + 2);
    if (pair === '--') {
      const next = lineEnd(sql, at);
      blank(at, next);
      at = next;
    } else if (pair === '/*') {
      const next = commentEnd(sql, at);
      blank(at, next);
      at = next;
    } else if (character === '\0') {
      throw invalid(sql, at, 'a NUL character is not allowed');
    } else if (/\s/.test(character)) {
      at += 1;
    } else if (end !== undefined && character !== ';') {
      const position = positionOf(sql, at);
      const second = `a second one begins at ${textOfPosition(position)}`;
      throw new QueryError('statement-not-allowed', `Exactly one statement is allowed: ${second}.`, {
        errors: [{ field: 'sql', message: `must be one statement; ${second}`, ...position }],
      });
    } else if (character === ';') {
      end = at;
      blank(at, at + 1);
      at += 1;
    } else if (character === "'" || character === '"') {
      refusePrefix(sql, at);
      at = quoteEnd(sql, at, character);
    } else if (character === '$') {
      throw invalid(
        sql,
        at,
        'dollar quotes and numbered or named parameters are not allowed; write a string in single quotes and a parameter as ?',
      );
    } else if (character === '`') {
      throw invalid(sql, at, 'a name is quoted with double quotes, not with backticks');
    } else if (character === '?') {
      if (wordCharacter.test(sql[at + 1] ?? '')) throw invalid(sql, at, 'a parameter is a single ?, bound in order');
      placeholders.push(at);
      at += 1;
    } else if (wordCharacter.test(character)) {
      const from = at;
      while (at < sql.length && wordCharacter.test(sql[at]!)) at += 1;
      const word = sql.slice(from, at);
      // DuckDB reads 1window as 1 WINDOW and 1e'…' as 1 E'…'.
      if (/^\d/.test(word) && (!numberWord.test(word) || sql[at] === "'" || sql[at] === '"'))
        throw invalid(sql, from, 'a number must be followed by a space or an operator');
      // The parser drops a named window without a use, so the gate would not see its content.
      if (foldName(word) === 'window') throw invalid(sql, from, 'the WINDOW clause is not allowed; write the window inside OVER (…)');
    } else {
      at += 1;
    }
  }
  return { text: out.join(''), placeholders };
}

/** A string's prefix that the engines read differently, and the form that each of them reads alike. */
const prefixes: Readonly<Record<string, string>> = {
  // Only DuckDB reads backslashes here.
  e: "strings with the prefix E are not allowed; write a plain string, with '' for a quote",
  'u&': "strings with the prefix U& are not allowed; write a plain string, with '' for a quote",
  // Bytes to Trino and the text "x41" to DuckDB.
  x: "literals of bytes are not allowed; write from_hex('…')",
  b: "literals of bits are not allowed; write CAST('…' AS BIT)",
  n: "strings with the prefix N are not allowed; write a plain string, with '' for a quote",
};

function refusePrefix(sql: string, at: number): void {
  const match = /(?:^|[^\p{L}\p{N}_$])([exbnEXBN]|[uU]&)$/u.exec(sql.slice(Math.max(0, at - 3), at));
  if (match !== null) throw invalid(sql, at, prefixes[foldName(match[1]!)]!);
}

function quoteEnd(sql: string, from: number, quote: string): number {
  let at = from + 1;
  for (;;) {
    const next = sql.indexOf(quote, at);
    if (next < 0) throw invalid(sql, from, quote === "'" ? 'a string is not closed' : 'a quoted name is not closed');
    if (sql[next + 1] !== quote) return next + 1;
    at = next + 2;
  }
}

function lineEnd(sql: string, from: number): number {
  const match = /[\r\n]/.exec(sql.slice(from));
  return match === null ? sql.length : from + match.index;
}

function commentEnd(sql: string, from: number): number {
  let depth = 0;
  for (let at = from; at < sql.length;) {
    const pair = sql.slice(at, at + 2);
    if (pair === '/*') {
      depth += 1;
      at += 2;
    } else if (pair === '*/') {
      depth -= 1;
      at += 2;
      if (depth === 0) return at;
    } else {
      at += 1;
    }
  }
  throw invalid(sql, from, 'a comment is not closed');
}

function unpairedAt(sql: string): number {
  return /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/.exec(sql)?.index ?? 0;
}

function invalid(sql: string, at: number, what: string): QueryError {
  return statementError('statement-invalid', 'The statement cannot be read at ', what, { position: positionOf(sql, at), end: '.' });
}
