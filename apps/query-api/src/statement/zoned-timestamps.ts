import { foldName } from './fold.ts';
import { edited, type Edit, type EditedText } from './text-edits.ts';
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
export function withZonedCasts(text: string): EditedText {
  const tokens = tokensOf(text);
  const edits = tokens.flatMap((keyword, index): Edit[] => {
    if (!isZonedTimestamp(tokens, index)) return [];
    const value = tokens[index + 1]!;
    const length = value.at + value.text.length - keyword.at;
    return [{ at: keyword.at, length, text: `CAST(${value.text} AS TIMESTAMP WITH TIME ZONE)` }];
  });
  return edited(text, edits);
}
