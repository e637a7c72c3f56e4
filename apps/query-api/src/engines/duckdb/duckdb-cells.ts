import {
  DuckDBArrayVector,
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBListVector,
  DuckDBMapVector,
  DuckDBStructVector,
  DuckDBTimestampMillisecondsValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampSecondsValue,
  DuckDBTypeId,
  DuckDBUnionVector,
  type DuckDBType,
  type DuckDBValue,
  type DuckDBVector,
} from '@duckdb/node-api';
import type { ResultCell } from '@millrace/contracts';
import { bytesText, shortestReal } from '../cell-text.ts';
import { fieldNames } from '../row-fields.ts';

/** A value as JSON carries it. */
type JsonValue = ResultCell | readonly JsonValue[] | { readonly [name: string]: JsonValue };

/** A cell of a result. A value that nests becomes JSON text. */
export function cellOf(vector: DuckDBVector, row: number): ResultCell {
  const value = jsonOf(vector, row);
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : value;
}

/** Reads the vectors themselves: the driver's own values of a row are objects by name, which lose fields without a name. */
function jsonOf(vector: DuckDBVector, row: number): JsonValue {
  if (vector instanceof DuckDBListVector) return listOf(vector, row)?.map((item) => item.value()) ?? null;
  if (vector instanceof DuckDBArrayVector) return arrayOf(vector, row);
  if (vector instanceof DuckDBMapVector) {
    const entries = listOf(vector['listVector'], row);
    return entries?.map(({ vector: entry, row: at }) => ({ key: fieldOf(entry, at, 0), value: fieldOf(entry, at, 1) })) ?? null;
  }
  if (vector instanceof DuckDBStructVector) {
    if (!vector.isItemValid(row)) return null;
    return objectOf(fieldNames(vector.type.entryNames).map((name, index) => [name, jsonOf(vector.entryVectorAt(index), row)]));
  }
  if (vector instanceof DuckDBUnionVector) {
    // The first field holds the number of the member that has the value; the others are NULL.
    const members = vector['structVector'];
    if (members.getItemValue(row, 0) === null) return null;
    return objectOf(vector.type.memberTags.map((tag, index) => [tag, jsonOf(members.entryVectorAt(index + 1), row)]));
  }
  return scalarOf(vector.getItem(row), vector.type);
}

interface Item {
  readonly vector: DuckDBVector;
  readonly row: number;
  value(): JsonValue;
}

function listOf(vector: DuckDBListVector, row: number): Item[] | undefined {
  const items = vector.getItemVector(row);
  return items === null
    ? undefined
    : Array.from({ length: items.itemCount }, (_, at) => ({ vector: items, row: at, value: () => jsonOf(items, at) }));
}

function arrayOf(vector: DuckDBArrayVector, row: number): JsonValue {
  if (!vector['validity'].itemValid(row)) return null;
  const { length } = vector.type;
  return Array.from({ length }, (_, at) => jsonOf(vector['childData'], row * length + at));
}

function fieldOf(vector: DuckDBVector, row: number, index: number): JsonValue {
  return jsonOf((vector as DuckDBStructVector).entryVectorAt(index), row);
}

// Unlike a literal, this keeps a field named __proto__.
function objectOf(fields: readonly (readonly [string, JsonValue])[]): JsonValue {
  return Object.fromEntries(fields);
}

function scalarOf(value: DuckDBValue, { typeId }: DuckDBType): JsonValue {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number') {
    // A client that knows the type bigint expects text.
    if (typeId === DuckDBTypeId.UINTEGER) return String(value);
    // JSON has no NaN and no infinities.
    if (!Number.isFinite(value)) return String(value);
    return typeId === DuckDBTypeId.FLOAT ? shortestReal(value) : value;
  }
  if (value instanceof DuckDBBlobValue) return bytesText(value.bytes);
  const infinity = infinityOf(value);
  if (infinity !== undefined) return infinity;
  const text = value.toString();
  if (typeId === DuckDBTypeId.TIMESTAMP_TZ) return yearOne(text).replace(/\+00$/, ' UTC');
  return typeId === DuckDBTypeId.INTERVAL || typeof value === 'bigint' ? text : yearOne(text);
}

// The driver gives the year before the year 1 as 0000; DuckDB and history have no year 0.
function yearOne(text: string): string {
  return text.replace(/^0000-(\d\d-\d\d)/, '0001-$1 (BC)');
}

// The driver knows these for microseconds only.
function infinityOf(value: DuckDBValue): string | undefined {
  let count: bigint;
  let most: bigint;
  if (value instanceof DuckDBDateValue) [count, most] = [BigInt(value.days), 2n ** 31n - 1n];
  else if (value instanceof DuckDBTimestampSecondsValue) [count, most] = [value.seconds, 2n ** 63n - 1n];
  else if (value instanceof DuckDBTimestampMillisecondsValue) [count, most] = [value.millis, 2n ** 63n - 1n];
  else if (value instanceof DuckDBTimestampNanosecondsValue) [count, most] = [value.nanos, 2n ** 63n - 1n];
  else return undefined;
  if (count === most) return 'infinity';
  return count === -most ? '-infinity' : undefined;
}
