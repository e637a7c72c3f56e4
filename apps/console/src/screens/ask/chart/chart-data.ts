import type { ResultCell } from '@millrace/contracts';
import { cellText, isNumeric, type Column, type Row } from '../../../parts/grid/cells.ts';

/** The axis of a chart. Lines are drawn over times and numbers, bars over categories. */
export type AxisKind = 'time' | 'number' | 'category';

/** The values of one column of numbers. NULL and values that are not finite are gaps. */
export interface ChartSeries {
  readonly name: string;
  readonly values: readonly (number | null)[];
}

/** A chart of the rows of a result. */
export interface ChartData {
  readonly kind: AxisKind;
  /** Name of the column of the axis. Absent: the numbers of the rows. */
  readonly axis?: string;
  /** Places on the axis, ascending: seconds since 1970 in UTC, numbers, or 0, 1, 2 … for categories. */
  readonly positions: readonly number[];
  /** Texts of the categories. Empty for other kinds. */
  readonly labels: readonly string[];
  readonly series: readonly ChartSeries[];
  /** Rows that are not drawn: those without a place on the axis, and categories beyond the limit. */
  readonly leftOut: number;
}

/** The choice of the user. */
export interface ChartChoice {
  /** Column of the axis. Default: the first column of times, of texts, or of numbers, in this order. */
  readonly axis?: number | undefined;
  /** The only column of values. Default: the first one for bars, up to {@link seriesMax} for lines. */
  readonly value?: number | undefined;
}

/** Lines of one chart. There are as many colours. */
export const seriesMax = 6;
/** Bars of one chart. More have no place for their names. */
export const categoriesMax = 40;

/** The columns that a chart can show as values. */
export function valueColumns(columns: readonly Column[]): readonly number[] {
  return columns.flatMap(({ type }, index) => (isNumeric(type) ? [index] : []));
}

/** The chart of some rows; undefined for a result without numbers. */
export function chartOf(
  columns: readonly Column[],
  rows: readonly Row[],
  { axis: chosen, value }: ChartChoice = {},
): ChartData | undefined {
  const axis = chosen ?? axisOf(columns, rows);
  const candidates = valueColumns(columns).filter((index) => index !== axis);
  const kind = axis === undefined ? 'number' : kindOf(columns[axis]!, rows, axis);
  const values = value === undefined || !candidates.includes(value) ? candidates.slice(0, kind === 'category' ? 1 : seriesMax) : [value];
  if (values.length === 0) return undefined;
  const placed = rows.flatMap((row, n) => {
    const place = axis === undefined ? n + 1 : kind === 'category' ? n : placeOf(row[axis] ?? null, kind);
    return place === undefined ? [] : [{ place, row }];
  });
  const drawn = kind === 'category' ? placed.slice(0, categoriesMax) : placed.toSorted((a, b) => a.place - b.place);
  return {
    kind,
    ...(axis === undefined ? {} : { axis: columns[axis]!.name }),
    positions: drawn.map(({ place }) => place),
    labels: kind === 'category' ? drawn.map(({ row }) => labelOf(row[axis!] ?? null)) : [],
    series: values.map((index) => ({ name: columns[index]!.name, values: drawn.map(({ row }) => numberOf(row[index] ?? null)) })),
    leftOut: rows.length - drawn.length,
  };
}

function axisOf(columns: readonly Column[], rows: readonly Row[]): number | undefined {
  const kinds = columns.map((column, index) => kindOf(column, rows, index));
  const found = (['time', 'category'] as const).map((kind) => kinds.indexOf(kind)).find((index) => index >= 0);
  return found ?? (columns.length > 1 ? 0 : undefined);
}

/** Texts that are all dates, such as those of the partition column, are times as well. */
function kindOf({ type }: Column, rows: readonly Row[], index: number): AxisKind {
  if (isNumeric(type)) return 'number';
  if (/^(date|timestamp)\b/.test(type)) return 'time';
  const texts = rows.flatMap((row) => (typeof row[index] === 'string' ? [row[index]] : []));
  return texts.length > 0 && texts.every((text) => /^\d{4}-\d{2}-\d{2}$/.test(text) && secondsOf(text) !== undefined) ? 'time' : 'category';
}

function placeOf(cell: ResultCell, kind: AxisKind): number | undefined {
  if (cell === null) return undefined;
  return kind === 'time' ? secondsOf(cellText(cell)) : (numberOf(cell) ?? undefined);
}

/** Times of a result are in UTC, and their texts are not those of ISO 8601. */
function secondsOf(text: string): number | undefined {
  const [, date, time = '00:00:00'] = /^(\d{4}-\d{2}-\d{2})(?: (\d{2}:\d{2}:\d{2}(?:\.\d+)?))?(?: UTC)?$/.exec(text) ?? [];
  const ms = Date.parse(`${date}T${time.slice(0, 12)}Z`);
  return Number.isNaN(ms) ? undefined : ms / 1000;
}

function numberOf(cell: ResultCell): number | null {
  const value = cell === null || cell === '' ? Number.NaN : Number(cell);
  return Number.isFinite(value) ? value : null;
}

function labelOf(cell: ResultCell): string {
  return cell === null ? 'NULL' : cellText(cell);
}
