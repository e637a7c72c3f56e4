import { gzipSync, zstdCompressSync } from 'node:zlib';
import { crc32c } from '@node-rs/crc32';
import { compressFrameSync } from 'lz4-napi';
import snappy from 'snappy';

/** A record to encode. */
export interface RecordToEncode {
  /** Default: the record's place in the batch. */
  readonly offsetDelta?: number;
  /** Default 0. */
  readonly timestampDelta?: number | bigint;
  readonly key?: Buffer | string | null;
  readonly value?: Buffer | string | null;
  readonly headers?: readonly (readonly [name: Buffer | string, value: Buffer | string | null])[];
}

/** Compressions of a batch; `xerial` is snappy as Java clients frame it. */
export type BatchCodec = 'none' | 'gzip' | 'snappy' | 'xerial' | 'lz4' | 'zstd';

/** A batch to encode. */
export interface BatchToEncode {
  readonly records: readonly RecordToEncode[];
  /** Default 0. */
  readonly baseOffset?: number;
  /** Default: that of the last record. */
  readonly lastOffsetDelta?: number;
  readonly codec?: BatchCodec;
  /** Default 1,700,000,000,000. */
  readonly firstTimestamp?: bigint;
  readonly maxTimestamp?: bigint;
  readonly appendTime?: boolean;
  readonly transactional?: boolean;
  readonly control?: boolean;
  readonly producerId?: bigint;
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
  /** Replaces the number of the codec, after compression. */
  readonly codecNumber?: number;
  /** Replaces the count of records in the header. */
  readonly count?: number;
  /** Replaces the bytes of the records, after compression. */
  readonly body?: Buffer;
}

const codecNumbers: Readonly<Record<BatchCodec, number>> = { none: 0, gzip: 1, snappy: 2, xerial: 2, lz4: 3, zstd: 4 };

/** Encodes a batch of magic 2, independently of the decoder. */
export function batchBytes(batch: BatchToEncode): Buffer {
  const {
    records,
    baseOffset = 0,
    codec = 'none',
    firstTimestamp = 1_700_000_000_000n,
    producerId = -1n,
    producerEpoch = -1,
    baseSequence = -1,
  } = batch;
  const body = batch.body ?? compress(codec, Buffer.concat(records.map(recordBytes)));
  const bytes = Buffer.alloc(61 + body.length);
  const lastDelta = batch.lastOffsetDelta ?? Math.max(0, ...records.map(({ offsetDelta }, n) => offsetDelta ?? n));
  const maxTimestamp =
    batch.maxTimestamp ??
    records.reduce(
      (max, { timestampDelta = 0 }) => (firstTimestamp + BigInt(timestampDelta) > max ? firstTimestamp + BigInt(timestampDelta) : max),
      firstTimestamp,
    );
  bytes.writeBigInt64BE(BigInt(baseOffset), 0);
  bytes.writeInt32BE(bytes.length - 12, 8);
  bytes.writeInt32BE(-1, 12);
  bytes.writeInt8(2, 16);
  bytes.writeInt16BE(
    (batch.codecNumber ?? codecNumbers[codec]) |
      (batch.appendTime === true ? 8 : 0) |
      (batch.transactional === true ? 16 : 0) |
      (batch.control === true ? 32 : 0),
    21,
  );
  bytes.writeInt32BE(lastDelta, 23);
  bytes.writeBigInt64BE(firstTimestamp, 27);
  bytes.writeBigInt64BE(maxTimestamp, 35);
  bytes.writeBigInt64BE(producerId, 43);
  bytes.writeInt16BE(producerEpoch, 51);
  bytes.writeInt32BE(baseSequence, 53);
  bytes.writeInt32BE(batch.count ?? records.length, 57);
  body.copy(bytes, 61);
  return sealBatch(bytes);
}

/** Writes the checksum that fits the bytes of a batch. */
export function sealBatch(bytes: Buffer): Buffer {
  bytes.writeUInt32BE(crc32c(bytes.subarray(21)), 17);
  return bytes;
}

/** A transaction's marker, as a broker writes it. */
export function markerBytes(baseOffset: number, producerId: bigint, kind: 'commit' | 'abort'): Buffer {
  return batchBytes({
    baseOffset,
    producerId,
    producerEpoch: 0,
    transactional: true,
    control: true,
    records: [{ key: Buffer.from([0, 0, 0, kind === 'abort' ? 0 : 1]), value: Buffer.from([0, 0, 0, 0, 0, 0]) }],
  });
}

function compress(codec: BatchCodec, bytes: Buffer): Buffer {
  switch (codec) {
    case 'none':
      return bytes;
    case 'gzip':
      return gzipSync(bytes);
    case 'snappy':
      return snappy.compressSync(bytes);
    case 'xerial':
      return xerialBytes(bytes);
    case 'lz4':
      return compressFrameSync(bytes);
    case 'zstd':
      return zstdCompressSync(bytes);
  }
}

function xerialBytes(bytes: Buffer): Buffer {
  const parts: Buffer[] = [Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1])];
  for (let at = 0; at < bytes.length; at += 32 * 1024) {
    const block = snappy.compressSync(bytes.subarray(at, at + 32 * 1024));
    const length = Buffer.alloc(4);
    length.writeInt32BE(block.length);
    parts.push(length, block);
  }
  return Buffer.concat(parts);
}

function recordBytes({ offsetDelta, timestampDelta = 0, key = null, value = null, headers = [] }: RecordToEncode, n: number): Buffer {
  const body = Buffer.concat([
    Buffer.from([0]),
    varint(timestampDelta),
    varint(offsetDelta ?? n),
    field(key),
    field(value),
    varint(headers.length),
    ...headers.flatMap(([name, header]) => [field(name), field(header)]),
  ]);
  return Buffer.concat([varint(body.length), body]);
}

function field(value: Buffer | string | null): Buffer {
  if (value === null) return varint(-1);
  const bytes = Buffer.from(value);
  return Buffer.concat([varint(bytes.length), bytes]);
}

/** A zigzag-encoded integer. */
export function varint(value: number | bigint): Buffer {
  const signed = BigInt(value);
  let left = BigInt.asUintN(64, (signed << 1n) ^ (signed >> 63n));
  const bytes: number[] = [];
  while (left > 0x7fn) {
    bytes.push(Number(left & 0x7fn) | 0x80);
    left >>= 7n;
  }
  bytes.push(Number(left));
  return Buffer.from(bytes);
}
