import { crc32c } from '@node-rs/crc32';
import { DecodeError } from '../errors.ts';
import { ByteReader } from './byte-reader.ts';
import { decompress } from './codecs.ts';
import { readRecord, type KafkaRecord } from './record.ts';

// https://kafka.apache.org/documentation/#recordbatch
const codecMask = 0x07;
const appendTimeFlag = 0x08;
const transactionalFlag = 0x10;
const controlFlag = 0x20;

/** Offset and length of a batch; the length counts the bytes after them. */
export const batchPrefixBytes = 12;

/** The fields before the records. */
export const batchHeaderBytes = 61;

/** Largest size of the records of one batch once decompressed. */
export const batchBytesMax = 32 * 1024 * 1024;

/** The fields before the records of a batch, unverified. */
export interface BatchHeader {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly codec: number;
  readonly count: number;
  readonly transactional: boolean;
  /** Holds a transaction's marker instead of records. */
  readonly control: boolean;
  readonly appendTime: boolean;
  readonly firstTimestamp: bigint;
  readonly maxTimestamp: bigint;
  /** -1 where the producer has none. */
  readonly producerId: bigint;
}

/** Records, and their size in bytes once decompressed. */
export interface RecordsOfBatch {
  readonly records: readonly KafkaRecord[];
  readonly bytes: number;
}

/** Reads the header of a batch of magic 2; undefined for any other format. Does not verify the bytes: call {@link checkCrc} first. */
export function readHeader(batch: Buffer): BatchHeader | undefined {
  if (batch.length < batchHeaderBytes || batch[16] !== 2) return undefined;
  const attributes = batch.readInt16BE(21);
  const baseOffset = Number(batch.readBigInt64BE(0));
  return {
    baseOffset,
    lastOffset: baseOffset + batch.readInt32BE(23),
    codec: attributes & codecMask,
    count: batch.readInt32BE(57),
    transactional: (attributes & transactionalFlag) !== 0,
    control: (attributes & controlFlag) !== 0,
    appendTime: (attributes & appendTimeFlag) !== 0,
    firstTimestamp: batch.readBigInt64BE(27),
    maxTimestamp: batch.readBigInt64BE(35),
    producerId: batch.readBigInt64BE(43),
  };
}

/**
 * Compares the checksum of a batch, which covers everything from the attributes on.
 *
 * @throws DecodeError `bad-checksum`
 */
export function checkCrc(batch: Buffer): void {
  const found = crc32c(batch.subarray(21));
  const written = batch.readUInt32BE(17);
  if (found !== written) throw new DecodeError('bad-checksum', `its checksum is ${hex(found)} and should be ${hex(written)}`);
}

/**
 * Decodes the records of a batch.
 *
 * @throws DecodeError when compression or records are not as the format wants them
 */
export function readRecords(batch: Buffer, header: BatchHeader, bytesMax = batchBytesMax): RecordsOfBatch {
  const { baseOffset, lastOffset, codec, count, appendTime, firstTimestamp, maxTimestamp } = header;
  if (count < 0 || count > lastOffset - baseOffset + 1)
    throw new DecodeError('bad-header', `its header names ${count} records and the offsets ${baseOffset} to ${lastOffset}`);
  if (count === 0) return { records: [], bytes: 0 };
  const reader = new ByteReader(decompress(codec, batch.subarray(batchHeaderBytes), bytesMax));
  const bytes = reader.left;
  // A delta that is a number has at most 35 bits.
  const exact = firstTimestamp > -(2n ** 52n) && firstTimestamp < 2n ** 52n;
  const context = {
    baseOffset,
    firstTimestamp: exact ? Number(firstTimestamp) : firstTimestamp,
    appendTimestamp: appendTime ? String(maxTimestamp) : undefined,
  };
  const records: KafkaRecord[] = [];
  let before = baseOffset - 1;
  for (let n = 0; n < count; n += 1) {
    const record = readRecord(reader, context);
    if (record.offset <= before || record.offset > lastOffset)
      throw new DecodeError('bad-record', `offset ${record.offset} comes after ${before} in a batch that ends at ${lastOffset}`);
    before = record.offset;
    records.push(record);
  }
  if (reader.left > 0) throw new DecodeError('bad-record', `${reader.left} bytes follow the last record`);
  return { records, bytes };
}

/** Whether a control batch ends its transaction by aborting it. */
export function isAbort([marker]: readonly KafkaRecord[]): boolean {
  const key = marker?.key ?? null;
  if (key === null || key.length < 4) throw new DecodeError('bad-record', 'a control batch holds no transaction marker');
  return key.readInt16BE(2) === 0;
}

function hex(crc: number): string {
  return `0x${crc.toString(16).padStart(8, '0')}`;
}
