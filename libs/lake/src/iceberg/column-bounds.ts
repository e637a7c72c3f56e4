import type { Stream } from '@millrace/contracts';
import type { LandedFile } from '../entry.ts';
import type { DataFile } from './data-file.ts';
import { icebergFields, type IcebergType } from './table-schema.ts';

/** A value of a column that can be compared: a text, or a whole number. Timestamps are microseconds since 1970. */
export type BoundValue = string | number;

/** The smallest and the largest value of each column that is known, by the column's name. */
export type ColumnBounds = ReadonlyMap<string, readonly [min: BoundValue, max: BoundValue]>;

/** The bounds that a manifest states for a file. The upper bound of a text may be larger than the text. */
export function columnBoundsOf(stream: Stream, { lower_bounds: lower, upper_bounds: upper }: DataFile): ColumnBounds {
  const declared = new Set(stream.columns.map(({ name }) => name));
  const bounds = new Map<string, readonly [BoundValue, BoundValue]>();
  for (const { id, name, type } of icebergFields(stream)) {
    if (!declared.has(name)) continue;
    const min = valueOf(type, lower?.find(({ key }) => key === id)?.value);
    const max = valueOf(type, upper?.find(({ key }) => key === id)?.value);
    if (min !== undefined && max !== undefined) bounds.set(name, [min, max]);
  }
  return bounds;
}

/** The bounds that the ledger states for a file: those of the column of the event's time. */
export function landedBoundsOf({ columns, timeField }: Stream, { minTimestamp, maxTimestamp }: LandedFile): ColumnBounds {
  const time = columns.find(({ field }) => field === timeField);
  return new Map(time?.type === 'timestamp' ? [[time.name, [minTimestamp * 1e6, maxTimestamp * 1e6]]] : []);
}

// Iceberg's serialisation of single values: https://iceberg.apache.org/spec/#binary-single-value-serialization
function valueOf(type: IcebergType, bytes: Uint8Array | undefined): BoundValue | undefined {
  if (bytes === undefined) return undefined;
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (type) {
    case 'string': {
      const text = view.toString('utf8');
      // A bound that was cut inside a character is not a text.
      return Buffer.from(text).equals(view) ? text : undefined;
    }
    case 'int':
      return view.byteLength === 4 ? view.readInt32LE() : undefined;
    case 'long':
    case 'timestamp': {
      const value = view.byteLength === 8 ? Number(view.readBigInt64LE()) : Number.NaN;
      return Number.isSafeInteger(value) ? value : undefined;
    }
    default:
      return undefined;
  }
}
