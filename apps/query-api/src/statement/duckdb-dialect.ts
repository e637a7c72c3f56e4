import type { QueryError } from '../errors.ts';
import { foldName } from './fold.ts';
import { positionOf } from './source-position.ts';
import { statementError } from './statement-error.ts';
import type { StatementText } from './statement-text.ts';
import { edited, replacing, type Edit, type EditedText } from './text-edits.ts';
import { tokensOf, type Token } from './tokens.ts';
import { isZonedTimestamp } from './zoned-timestamps.ts';

/** Functions of Trino that DuckDB cannot offer, and the nearest thing that it can. */
const missing: Readonly<Record<string, string>> = {
  all_match: "list_aggregate(list_transform(list, lambda x: …), 'bool_and')",
  any_match: "list_aggregate(list_transform(list, lambda x: …), 'bool_or')",
  none_match: "NOT list_aggregate(list_transform(list, lambda x: …), 'bool_or')",
  approx_most_frequent: 'approx_top_k(value, n)',
  checksum: "bit_xor(hash(value)); a checksum is the engine's own",
  crc32: 'hash(value)',
  xxhash64: 'hash(value)',
  from_base: 'CAST(text AS BIGINT)',
  map_filter: 'map_from_entries(list_filter(map_entries(map), lambda e: …))',
  multimap_agg: 'list(value) with GROUP BY key',
  numeric_histogram: 'histogram(value)',
  shuffle: 'list_sort(list)',
  width_bucket: 'floor((value - low) / (high - low) * buckets) + 1',
  with_timezone: "at_timezone(TIMESTAMP '… UTC', zone)",
  zip_with: 'list_transform(list_zip(a, b), lambda pair: …)',
};

/**
 * Writes a statement in DuckDB's words where Trino has others and no macro can replace them: `TABLESAMPLE BERNOULLI (50)`,
 * `TIMESTAMP '… UTC'`, and `transform` and `reduce`, which take lambdas. The rest of Trino's functions are macros.
 */
export function duckDbTextOf({ text }: Pick<StatementText, 'text'>): EditedText {
  const tokens = tokensOf(text);
  const edits = tokens.flatMap((token, index): Edit[] => {
    if (isZonedTimestamp(tokens, index)) return [replacing(token, 'TIMESTAMPTZ')];
    if (isCall(tokens, index, 'transform')) return [replacing(token, 'list_transform')];
    return [...sampleEdits(tokens, index), ...reduceEdits(tokens, index)];
  });
  return edited(text, edits);
}

/**
 * Refuses a function or a column of Trino that DuckDB cannot offer.
 *
 * @throws QueryError `statement-invalid` with the nearest thing that it can offer
 */
export function refuseMissing({ text }: Pick<StatementText, 'text'>): void {
  const tokens = tokensOf(text);
  for (const [index, token] of tokens.entries()) {
    const name = foldName(token.text);
    if (token.kind === 'name' && name === '"$path"')
      throw invalid(text, token, 'DuckDB does not offer the column "$path"; use the engine athena');
    if (Object.hasOwn(missing, name) && isCall(tokens, index, name))
      throw invalid(text, token, `DuckDB does not offer the function ${name}; the nearest is ${missing[name]}`);
  }
}

function isWord(token: Token | undefined, word: string): boolean {
  return token?.kind === 'word' && foldName(token.text) === word;
}

function isCall(tokens: readonly Token[], index: number, name: string): boolean {
  return (
    isWord(tokens[index], name) && tokens[index + 1]?.text === '(' && tokens[index - 1]?.text !== '.' && !isWord(tokens[index - 1], 'as')
  );
}

function invalid(text: string, { at }: Token, what: string): QueryError {
  return statementError('statement-invalid', 'The statement cannot run on DuckDB: ', what, { position: positionOf(text, at), end: '.' });
}

// TABLESAMPLE BERNOULLI (50) is a percentage to Trino and a number of rows to DuckDB.
function sampleEdits(tokens: readonly Token[], index: number): Edit[] {
  const [method, open, number, close] = tokens.slice(index + 1, index + 5);
  const isSample = isWord(tokens[index], 'tablesample') && (isWord(method, 'bernoulli') || isWord(method, 'system'));
  return isSample && open?.text === '(' && number?.kind === 'number' && close?.text === ')' ? [{ at: close.at, length: 0, text: '%' }] : [];
}

// reduce(list, start, step, end) folds [start, …list]. Text is inserted and none moves, so that each ? keeps its place.
function reduceEdits(tokens: readonly Token[], index: number): Edit[] {
  if (!isCall(tokens, index, 'reduce')) return [];
  const commas = topLevelCommas(tokens, index + 1);
  if (commas.length !== 3) return [];
  const [first, second, third] = commas as [Token, Token, Token];
  return [
    replacing(tokens[index]!, 'list_extract'),
    { at: tokens[index + 1]!.at + 1, length: 0, text: 'list_transform([list_reduce(list_reverse(list_reverse(' },
    { at: first.at, length: 1, text: ') || [' },
    { at: second.at, length: 1, text: ']),' },
    { at: third.at, length: 1, text: ')],' },
    { at: closeOf(tokens, index + 1).at, length: 0, text: '), 1' },
  ];
}

function topLevelCommas(tokens: readonly Token[], open: number): Token[] {
  const commas: Token[] = [];
  let depth = 0;
  for (const token of tokens.slice(open)) {
    if ('([{'.includes(token.text)) depth += 1;
    else if (')]}'.includes(token.text)) depth -= 1;
    else if (token.text === ',' && depth === 1) commas.push(token);
    if (depth === 0) break;
  }
  return commas;
}

function closeOf(tokens: readonly Token[], open: number): Token {
  let depth = 0;
  for (const token of tokens.slice(open)) {
    if (token.text === '(') depth += 1;
    if (token.text === ')') depth -= 1;
    if (depth === 0) return token;
  }
  return tokens.at(-1)!;
}
