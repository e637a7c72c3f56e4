import type { Problem } from '@millrace/contracts';

/** A place in a statement: line and column from 1, counted in characters. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** The place that a problem of a statement names. */
export function placeOf({ errors = [] }: Pick<Problem, 'errors'>): Place | undefined {
  for (const { field, line, column } of errors) if (field === 'sql' && line !== undefined && column !== undefined) return { line, column };
  return undefined;
}

/** The offset of a place in UTF-16 code units. A place outside of the text becomes the nearest offset. */
export function offsetOf(text: string, { line, column }: Place): number {
  const lines = text.split('\n');
  const before = lines.slice(0, line - 1).reduce((length, one) => length + one.length + 1, 0);
  const within = Array.from(lines[line - 1] ?? '').slice(0, column - 1);
  return Math.min(before + within.join('').length, text.length);
}
