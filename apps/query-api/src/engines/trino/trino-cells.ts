import type { ResultCell } from '@millrace/contracts';
import { bytesText, shortestReal, timeText } from '../cell-text.ts';
import type { ResultColumn } from '../query-engine.ts';
import { fieldNames } from '../row-fields.ts';
import type { TrinoColumn, TrinoValue, TypeSignature } from './trino-answer.ts';
import { fieldName, typeName, typeOf } from './trino-types.ts';

/** Columns with the names of the statement. */
export function columnsOf(columns: readonly TrinoColumn[]): ResultColumn[] {
  return columns.map(({ name, typeSignature }) => ({ name, type: typeName(typeSignature) }));
}

/** Makes the cells of a column from Trino's values. A value that nests becomes JSON text. */
export function cellReader({ typeSignature }: TrinoColumn): (value: TrinoValue) => ResultCell {
  const read = reader(typeSignature);
  return (value) => {
    const cell = read(value);
    return typeof cell === 'object' && cell !== null ? JSON.stringify(cell) : cell;
  };
}

type JsonValue = ResultCell | readonly JsonValue[] | { readonly [name: string]: JsonValue };
type Reader = (value: TrinoValue) => JsonValue;

function reader(type: TypeSignature): Reader {
  const read = presentReader(type);
  return (value) => (value === null ? null : read(value));
}

function presentReader(type: TypeSignature): Reader {
  const { rawType, arguments: parts } = type;
  switch (rawType) {
    case 'bigint':
      return String;
    case 'real':
      return (value) => (typeof value === 'number' ? shortestReal(value) : value);
    case 'double':
      // A whole DOUBLE beyond 2^53 came as its digits.
      return (value) => (typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value);
    case 'varbinary':
      return (value) => bytesText(Buffer.from(value as string, 'base64'));
    case 'array': {
      const item = reader(typeOf(parts[0]!));
      return (value) => (value as readonly TrinoValue[]).map(item);
    }
    case 'map': {
      const key = keyReader(typeOf(parts[0]!));
      const item = reader(typeOf(parts[1]!));
      return (value) =>
        Object.entries(value as Readonly<Record<string, TrinoValue>>).map(([name, of]) => ({ key: key(name), value: item(of) }));
    }
    case 'row': {
      const names = fieldNames(parts.map(fieldName));
      const fields = parts.map((part) => reader(typeOf(part)));
      // Unlike a literal, this keeps a field named __proto__.
      return (value) => Object.fromEntries((value as readonly TrinoValue[]).map((of, index) => [names[index]!, fields[index]!(of)]));
    }
    case 'interval day to second':
      return (value) => dayTimeText(value as string);
    case 'interval year to month':
      return (value) => yearMonthText(value as string);
    default:
      return rawType.startsWith('time') ? (value) => timeText(value as string) : (value) => value;
  }
}

/** `1 04:05:06.700` as `1 day 04:05:06.7`. */
function dayTimeText(text: string): string {
  const [, sign = '', days = '0', time = ''] = /^(-?)(\d+) (.*)$/.exec(text) ?? [];
  const short = timeText(time);
  const parts = [countText(sign, days, 'day'), short === '00:00:00' ? '' : `${sign}${short}`];
  return parts.filter((part) => part !== '').join(' ') || short;
}

/** `1-2` as `1 year 2 months`. */
function yearMonthText(text: string): string {
  const [, sign = '', years = '0', months = '0'] = /^(-?)(\d+)-(\d+)$/.exec(text) ?? [];
  const parts = [countText(sign, years, 'year'), countText(sign, months, 'month')];
  return parts.filter((part) => part !== '').join(' ') || '00:00:00';
}

function countText(sign: string, count: string, unit: string): string {
  if (Number(count) === 0) return '';
  return `${sign}${count} ${unit}${sign === '' && Number(count) === 1 ? '' : 's'}`;
}

/** A key of a map, which is text in JSON. */
function keyReader(type: TypeSignature): (name: string) => JsonValue {
  const read = reader(type);
  switch (type.rawType) {
    case 'tinyint':
    case 'smallint':
    case 'integer':
    case 'real':
    case 'double':
      return (name) => (Number.isNaN(Number(name)) ? name : read(Number(name)));
    case 'boolean':
      return (name) => name === 'true';
    default:
      return read;
  }
}
