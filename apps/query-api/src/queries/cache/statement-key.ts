import { createHash } from 'node:crypto';
import type { EngineName, LayoutName } from '@millrace/contracts';
import type { Parameter } from '../../engines/query-engine.ts';
import { volatileFunctions } from '../../statement/allowed-functions.ts';
import { foldName } from '../../statement/fold.ts';
import { tokensOf, type Token } from '../../statement/tokens.ts';

/** The format of kept results. Another number makes every result of an earlier version unknown. */
const keyVersion = 2;

/** Keywords that no engine takes for a name, except after AS or a dot, and before a colon. */
const keywords = new Set(
  `all and as asc between by case cast cross desc distinct else end except exists from full group having in inner intersect is join left like limit not null offset on or
    order outer over partition right select then union using values when where with`.split(/\s+/),
);

/** Words that make a statement volatile besides the functions: a sample draws other rows each time. */
const volatileWords = new Set(['sample', 'tablesample', 'current_time']);

/** Texts that a cast to a time may read as the current time. */
const volatileTexts = new Set(['now', 'today', 'tomorrow', 'yesterday']);

/** Properties of a query on which its result depends, besides the state of the table. */
export interface KeyedQuery {
  /** The statement without comments. */
  readonly text: string;
  readonly parameters: readonly Parameter[];
  readonly engine: EngineName;
  readonly layout?: LayoutName;
  readonly timeoutMs: number;
  /** Rights of the caller. Callers with other rights never share a result. */
  readonly rights: readonly string[];
}

/** The key under which equal queries find each other's results. */
export function cacheKeyOf({ text, parameters, engine, layout = 'base', timeoutMs, rights }: KeyedQuery): string {
  // JSON keeps the types apart, but writes -0 as 0.
  const values = parameters.map((value) => (Object.is(value, -0) ? ['-0'] : value));
  return createHash('sha256')
    .update(JSON.stringify([keyVersion, normalisedText(text), values, engine, layout, timeoutMs, rights.toSorted()]))
    .digest('base64url');
}

/**
 * The statement with one layout: two texts that differ only in white space and in the case of keywords become equal. Names keep their
 * case, because it is that of the columns of the result.
 */
export function normalisedText(text: string): string {
  const tokens = tokensOf(text);
  return tokens
    .map((token, index) => {
      const before = tokens[index - 1];
      return `${before === undefined ? '' : gapOf(before, token)}${isKeyword(tokens, index) ? foldName(token.text) : token.text}`;
    })
    .join('');
}

/** Whether the statement gives the same result as long as its tables are the same. In doubt it does not. */
export function isRepeatable(text: string, parameters: readonly Parameter[]): boolean {
  return (
    !tokensOf(text).some(varies) && !parameters.some((value) => typeof value === 'string' && volatileTexts.has(value.trim().toLowerCase()))
  );
}

/** Whether a token may give another value each time. */
function varies({ kind, text }: Token): boolean {
  switch (kind) {
    case 'word':
      return isVolatileName(text);
    case 'name':
      return isVolatileName(unquoted(text));
    case 'text':
      return volatileTexts.has(unquoted(text).trim().toLowerCase());
    default:
      return false;
  }
}

function isVolatileName(name: string): boolean {
  const folded = foldName(name);
  return volatileFunctions.has(folded) || volatileWords.has(folded);
}

function unquoted(quoted: string): string {
  return quoted.slice(1, -1);
}

function gapOf(before: Token, token: Token): string {
  const apart = token.at > before.at + before.text.length;
  // `5 ! = 120` compares a factorial, and `5 != 120` does not.
  if (isOperator(before) && isOperator(token)) return apart ? ' ' : '';
  if (isOperand(before) && isOperand(token)) return ' ';
  // Around a dot or a colon the layout stays as it is.
  if (isFixed(before) || isFixed(token)) return apart ? ' ' : '';
  return '';
}

function isFixed({ kind, text }: Token): boolean {
  return kind === 'symbol' && ['.', ':'].includes(text);
}

function isOperand({ kind, text }: Token): boolean {
  return kind !== 'symbol' || text === '?';
}

function isOperator({ kind, text }: Token): boolean {
  return kind === 'symbol' && !'()[]{},?'.includes(text);
}

function isKeyword(tokens: readonly Token[], index: number): boolean {
  const token = tokens[index]!;
  if (token.kind !== 'word' || !keywords.has(foldName(token.text))) return false;
  const before = tokens[index - 1];
  return before?.text !== '.' && foldName(before?.text ?? '') !== 'as' && tokens[index + 1]?.text !== ':';
}
