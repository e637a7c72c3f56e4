import { Buffer } from 'node:buffer';
import { hiddenColumns, partitionKeyFieldId, type Stream } from '@millrace/contracts';

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

/** Smallest and largest value of a column, both inclusive. */
export type Bounds = readonly [min: number, max: number];

/** Facts about a data file of one value of the partition key. */
export interface FileFacts {
  /** `s3://…` of the file. */
  readonly uri: string;
  readonly dt: string;
  readonly rows: number;
  readonly bytes: number;
  /** Bounds of the stream's time field in epoch seconds. */
  readonly seconds: Bounds;
  /** Bounds of the Kafka partition. */
  readonly partitions: Bounds;
  readonly offsets: Bounds;
}

/** Describes a data file. No footer is read. Fields that the contract requires are never null. */
export function dataFileOf(stream: Stream, { uri, dt, rows, bytes, seconds, partitions, offsets }: FileFacts): DataFile {
  const { required = [] } = stream.eventSchema as { required?: readonly string[] };
  const full = [
    ...stream.columns.filter(({ field }) => required.includes(field)).map(({ fieldId }) => fieldId),
    ...hiddenColumns.map(({ fieldId }) => fieldId),
  ];
  const time = stream.columns.find(({ field }) => field === stream.timeField);
  const bounds = (end: 0 | 1): PerColumn<Buffer>[] => [
    ...(time?.type === 'timestamp' ? [{ key: time.fieldId, value: longBytes(BigInt(seconds[end]) * 1_000_000n) }] : []),
    { key: partitionKeyFieldId, value: Buffer.from(dt) },
    { key: hiddenColumns[0].fieldId, value: intBytes(partitions[end]) },
    { key: hiddenColumns[1].fieldId, value: longBytes(BigInt(offsets[end])) },
  ];
  return {
    content: 0,
    file_path: uri,
    file_format: 'PARQUET',
    partition: { [stream.partitionKey]: dt },
    record_count: rows,
    file_size_in_bytes: bytes,
    value_counts: full.map((key) => ({ key, value: rows })),
    null_value_counts: full.map((key) => ({ key, value: 0 })),
    lower_bounds: bounds(0),
    upper_bounds: bounds(1),
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
