import type { ResultCell } from '@millrace/contracts';
import { QueryError } from '../../errors.ts';
import type { ColumnKind } from './column-kinds.ts';

/** A cell in the form of its kind. Dates are days since 1970, times and timestamps microseconds, decimals integers without their scale. */
export type TypedCell = boolean | number | bigint | string | Uint8Array | null;

const dayMicros = 86_400_000_000n;
// DuckDB stores its infinities so, and reads them back from Parquet and Arrow.
const infiniteDays = 2 ** 31 - 1;
const infiniteMicros = 2n ** 63n - 1n;

/**
 * Makes the reader of a column's cells.
 *
 * @throws QueryError `engine-failed`, from the reader, for a cell that is not of its column's type
 */
export function typedReader(kind: ColumnKind): (cell: ResultCell) => TypedCell {
  const read = readerOf(kind);
  return (cell) => (cell === null ? null : read(cell));
}

function readerOf(kind: ColumnKind): (cell: Exclude<ResultCell, null>) => TypedCell {
  switch (kind.kind) {
    case 'boolean':
      return (cell) => (typeof cell === 'boolean' ? cell : misfit(cell, 'boolean'));
    case 'integer':
      return (cell) => integerOf(cell, kind.bits);
    case 'bigint':
      return (cell) => wholeNumberOf(String(cell), 64);
    case 'real':
    case 'double':
      // NaN and the infinities come as text.
      return Number;
    case 'decimal':
      return (cell) => decimalOf(String(cell), kind);
    case 'date':
      return (cell) => daysOf(String(cell));
    case 'time':
      return (cell) => microsOfTime(String(cell));
    case 'timestamp':
      return (cell) => microsOf(String(cell));
    case 'bytes':
      return (cell) => bytesOf(String(cell));
    case 'text':
      return String;
  }
}

function integerOf(cell: ResultCell, bits: number): number {
  const most = 2 ** (bits - 1);
  return typeof cell === 'number' && Number.isInteger(cell) && cell >= -most && cell < most
    ? cell
    : misfit(cell, `integer of ${bits} bits`);
}

function wholeNumberOf(text: string, bits: number): bigint {
  const value = /^-?\d{1,20}$/.test(text) ? BigInt(text) : undefined;
  return value !== undefined && BigInt.asIntN(bits, value) === value ? value : misfit(text, `integer of ${bits} bits`);
}

function decimalOf(text: string, { precision, scale }: { readonly precision: number; readonly scale: number }): bigint {
  const [, sign = '', whole = '', fraction = ''] = /^(-?)(\d*)(?:\.(\d+))?$/.exec(text) ?? [];
  const digits = `${whole}${fraction.slice(0, scale).padEnd(scale, '0')}`.replace(/^0+(?=\d)/, '');
  if (whole + fraction === '' || digits.length > precision || /[^0]/.test(fraction.slice(scale)))
    return misfit(text, `decimal(${precision},${scale})`);
  return BigInt(`${sign}${digits}`);
}

function daysOf(text: string): number {
  if (text === 'infinity') return infiniteDays;
  if (text === '-infinity') return -infiniteDays;
  const [, year = '', month = '', day = '', era] = /^([+-]?\d{4,6})-(\d\d)-(\d\d)( \(BC\))?$/.exec(text) ?? [];
  if (year === '') return misfit(text, 'date');
  return daysFromCivil(era === undefined ? Number(year) : 1 - Number(year), Number(month), Number(day));
}

/** Days since 1970 of a date of the proleptic Gregorian calendar, for years beyond those of JavaScript's Date. */
function daysFromCivil(year: number, month: number, day: number): number {
  // Years of this count begin in March, so that the leap day is the last.
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468;
}

function microsOfTime(text: string): bigint {
  const [, hours = '', minutes = '', seconds = '', fraction = ''] = /^(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?$/.exec(text) ?? [];
  if (hours === '') return misfit(text, 'time');
  return BigInt((Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1_000_000 + Number(fraction.padEnd(6, '0')));
}

function microsOf(text: string): bigint {
  if (text === 'infinity') return infiniteMicros;
  if (text === '-infinity') return -infiniteMicros;
  const [, date = '', time = ''] = /^(.+) (\S+)$/.exec(text) ?? [];
  return date === '' ? misfit(text, 'timestamp') : BigInt(daysOf(date)) * dayMicros + microsOfTime(time);
}

/** Bytes from the text of a `varbinary`: every backslash in it begins an escape. */
function bytesOf(text: string): Uint8Array {
  const unescaped = text.replaceAll(/\\x([0-9A-F]{2})/g, (_escape, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(unescaped, 'latin1');
}

function misfit(cell: ResultCell, type: string): never {
  throw new QueryError('engine-failed', `The engine gave ${JSON.stringify(cell)} as ${type}. Read the result as JSON, NDJSON or CSV.`);
}
