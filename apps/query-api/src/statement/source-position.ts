/** Where in a statement something is: line and column from 1, counted in characters. */
export interface SourcePosition {
  readonly line: number;
  readonly column: number;
}

/** The position of a character offset (UTF-16 code units) in a text. */
export function positionOf(text: string, offset: number): SourcePosition {
  const before = text.slice(0, offset);
  const lastBreak = before.lastIndexOf('\n');
  return { line: before.split('\n').length, column: Array.from(before.slice(lastBreak + 1)).length + 1 };
}

/** The character offset (UTF-16 code units) of a position. A position outside of the text becomes its nearest offset. */
export function offsetOfPosition(text: string, { line, column }: SourcePosition): number {
  const lines = text.split('\n');
  const before = lines.slice(0, line - 1).reduce((length, one) => length + one.length + 1, 0);
  const within = Array.from(lines[line - 1] ?? '').slice(0, column - 1);
  return Math.min(before + within.join('').length, text.length);
}

/** The character offset (UTF-16 code units) of a UTF-8 byte offset, by which DuckDB locates a node of its tree. */
export function offsetOfByte(text: string, byteOffset: number): number {
  return Buffer.from(text, 'utf8').subarray(0, byteOffset).toString('utf8').length;
}

/** `line 2, column 7`. */
export function textOfPosition({ line, column }: SourcePosition): string {
  return `line ${line}, column ${column}`;
}

/** The character offset (UTF-16 code units) of a count of code points, by which DuckDB's parser locates an error. */
export function offsetOfCodePoint(text: string, codePoints: number): number {
  return Array.from(text).slice(0, codePoints).join('').length;
}
