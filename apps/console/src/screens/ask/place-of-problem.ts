import type { Problem } from '@millrace/contracts';

/** A place in a statement: line and column from 1, counted in characters. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** The place that a problem of a statement names. docs/http.md states its form: `line 2, column 7`. */
export function placeOf({ detail, errors }: Pick<Problem, 'detail' | 'errors'>): Place | undefined {
  const texts = [...(errors ?? []).filter(({ field }) => field === 'sql').map(({ message }) => message), detail ?? ''];
  const match = texts.map((text) => /\bline (\d{1,6}), column (\d{1,6})\b/.exec(text)).find((found) => found !== null);
  return match === undefined ? undefined : { line: Number(match[1]), column: Number(match[2]) };
}

/** The offset of a place in UTF-16 code units. A place outside of the text becomes the nearest offset. */
export function offsetOf(text: string, { line, column }: Place): number {
  const lines = text.split('\n');
  const before = lines.slice(0, line - 1).reduce((length, one) => length + one.length + 1, 0);
  const within = Array.from(lines[line - 1] ?? '').slice(0, column - 1);
  return Math.min(before + within.join('').length, text.length);
}
