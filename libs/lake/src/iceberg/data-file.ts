import { Buffer } from 'node:buffer';
import { hiddenColumns, partitionKeyFieldId, type Stream } from '@millrace/contracts';
import type { LandedFile } from '../entry.ts';

/** A value of one column, by the column's field id. Iceberg's Avro schema has a list where JSON would have a map. */
export interface PerColumn<T> {
  readonly key: number;
  readonly value: T;
}

/** A data file in the shape of Iceberg's Avro schema `data_file`. */
export interface DataFile {
  readonly content: 0;
  readonly file_path: string;
  readonly file_format: 'PARQUET';
  readonly partition: Readonly<Record<string, string>>;
  readonly record_count: number;
  readonly file_size_in_bytes: number;
  readonly value_counts: readonly PerColumn<number>[] | null;
  readonly null_value_counts: readonly PerColumn<number>[] | null;
  readonly lower_bounds: readonly PerColumn<Buffer>[] | null;
  readonly upper_bounds: readonly PerColumn<Buffer>[] | null;
}

/** The rows that a data file holds: offsets [from, to) of one Kafka partition. */
export interface OffsetRange {
  readonly partition: number;
  readonly from: number;
  readonly to: number;
}

/**
 * Describes a landed file. Counts and bounds come from the ledger, so no footer is read. Fields that the contract requires are never null.
 *
 * @param uri `s3://…` of the file
 * @param rows rows in the file
 * @param bytes size of the file
 */
export function dataFileOf(
  stream: Stream,
  { uri, rows, bytes, file, range }: { uri: string; rows: number; bytes: number; file: LandedFile; range: OffsetRange },
): DataFile {
  const { required = [] } = stream.eventSchema as { required?: readonly string[] };
  const full = [
    ...stream.columns.filter(({ field }) => required.includes(field)).map(({ fieldId }) => fieldId),
    ...hiddenColumns.map(({ fieldId }) => fieldId),
  ];
  const time = stream.columns.find(({ field }) => field === stream.timeField);
  const bounds = (seconds: number, offset: number): PerColumn<Buffer>[] => [
    ...(time?.type === 'timestamp' ? [{ key: time.fieldId, value: longBytes(BigInt(seconds) * 1_000_000n) }] : []),
    { key: partitionKeyFieldId, value: Buffer.from(file.dt) },
    { key: hiddenColumns[0].fieldId, value: intBytes(range.partition) },
    { key: hiddenColumns[1].fieldId, value: longBytes(BigInt(offset)) },
  ];
  return {
    content: 0,
    file_path: uri,
    file_format: 'PARQUET',
    partition: { [stream.partitionKey]: file.dt },
    record_count: rows,
    file_size_in_bytes: bytes,
    value_counts: full.map((key) => ({ key, value: rows })),
    null_value_counts: full.map((key) => ({ key, value: 0 })),
    lower_bounds: bounds(file.minTimestamp, range.from),
    upper_bounds: bounds(file.maxTimestamp, range.to - 1),
  };
}

function intBytes(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

function longBytes(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(value);
  return bytes;
}
