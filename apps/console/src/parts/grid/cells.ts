import type { ResultCell, ResultPage } from '@millrace/contracts';

export type Column = ResultPage['columns'][number];
export type Row = readonly ResultCell[];

/** Characters of a cell that the grid shows. Enter shows the rest. */
const shownCharactersMax = 300;

/** Whether the values of a type are numbers, which are aligned to the right. */
export function isNumeric(type: string): boolean {
  return /^(tinyint|smallint|integer|bigint|real|double|decimal)\b/.test(type);
}

/** The text of a cell. NULL has none: the grid shows it in another way than an empty text. */
export function cellText(cell: Exclude<ResultCell, null>): string {
  return String(cell);
}

/** The beginning of a long text, without half of a character. */
export function shortText(text: string): string {
  if (text.length <= shownCharactersMax) return text;
  return `${Array.from(text.slice(0, shownCharactersMax)).slice(0, -1).join('')}…`;
}

/** Sorts rows by one column. 64-bit integers and decimals are compared exactly. NULL is last in both directions. */
export function sortRows(rows: readonly Row[], column: number, type: string, descending: boolean): Row[] {
  const compare = isNumeric(type) ? compareNumbers : compareTexts;
  const sign = descending ? -1 : 1;
  return rows.toSorted((a, b) => {
    const [left, right] = [a[column] ?? null, b[column] ?? null];
    if (left === null || right === null) return Number(left === null) - Number(right === null);
    return sign * compare(left, right);
  });
}

/** The rows with a cell that contains a text, in any case. */
export function filterRows(rows: readonly Row[], text: string): readonly Row[] {
  const wanted = text.toLowerCase();
  return wanted === '' ? rows : rows.filter((row) => row.some((cell) => cell !== null && cellText(cell).toLowerCase().includes(wanted)));
}

type Cell = Exclude<ResultCell, null>;

function compareTexts(a: Cell, b: Cell): number {
  const [left, right] = [cellText(a), cellText(b)];
  return left < right ? -1 : Number(left > right);
}

function compareNumbers(a: Cell, b: Cell): number {
  const [left, right] = [cellText(a), cellText(b)];
  const isExact = [left, right].every((text) => /^-?\d+(\.\d+)?$/.test(text));
  if (!isExact) return Number(left) - Number(right) || compareTexts(a, b);
  const scale = Math.max(...[left, right].map((text) => text.split('.')[1]?.length ?? 0));
  const [x, y] = [scaled(left, scale), scaled(right, scale)];
  return x < y ? -1 : Number(x > y);
}

/** A decimal as a whole number of its last digit. */
function scaled(text: string, scale: number): bigint {
  const [whole = '', fraction = ''] = text.split('.');
  return BigInt(whole + fraction.padEnd(scale, '0'));
}
