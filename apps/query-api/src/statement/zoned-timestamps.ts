import { foldName } from './fold.ts';
import { tokensOf, type Token } from './tokens.ts';

// A date and a time of day, then a zone: Z, UTC, +02:00 or Europe/Berlin.
const zoned = /^'\s*[+-]?\d+-\d+-\d+(?:\s+|T)\d+:\d+[\d:.]*\s*(?:[A-Za-z].*|[+-]\d[\d:]*)\s*'$/;

/** Whether a timestamp with a time zone, such as `TIMESTAMP '2024-02-29 12:00:00 UTC'`, begins at this token. */
export function isZonedTimestamp(tokens: readonly Token[], index: number): boolean {
  const keyword = tokens[index];
  const value = tokens[index + 1];
  return keyword?.kind === 'word' && foldName(keyword.text) === 'timestamp' && value?.kind === 'text' && zoned.test(value.text);
}

/** Writes each timestamp with a time zone as a cast, which Trino and DuckDB read alike: DuckDB drops the zone of the literal. */
export function withZonedCasts(text: string): string {
  const tokens = tokensOf(text);
  let out = '';
  let from = 0;
  for (const [index, { at }] of tokens.entries()) {
    if (!isZonedTimestamp(tokens, index)) continue;
    const value = tokens[index + 1]!;
    out += `${text.slice(from, at)}CAST(${value.text} AS TIMESTAMP WITH TIME ZONE)`;
    from = value.at + value.text.length;
  }
  return out + text.slice(from);
}
