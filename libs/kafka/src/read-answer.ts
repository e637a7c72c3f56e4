import { createHash } from 'node:crypto';
import { DecodeError, type DecodeErrorCode } from './errors.ts';
import { AbortedTransactions, type AbortedTransaction } from './record-batch/aborted-transactions.ts';
import { readLegacyMessage } from './record-batch/legacy-message.ts';
import { batchHeaderBytes, batchPrefixBytes, checkCrc, readHeader, readRecords, type BatchHeader } from './record-batch/record-batch.ts';
import type { KafkaRecord } from './record-batch/record.ts';

/** Bytes of records, once decompressed, that one run holds before the next begins. A single batch may exceed it. */
export const runBytesMax = 4 * 1024 * 1024;

/** Maximum number of offsets in a batch whose range is trusted. */
export const undecodableOffsetsMax = 1_000_000;

/** A broker's answer for one partition, not decoded yet. */
export interface PartitionAnswer {
  readonly highWatermark: number;
  /** The offset before which every transaction has ended. */
  readonly lastStableOffset: number;
  readonly aborted: readonly AbortedTransaction[];
  /** Batches of records; the last one may be cut off. */
  readonly records: Buffer;
  /** Set where the broker could not read the batch itself, with its reason. */
  readonly refused?: string;
}

/** A batch that cannot be decoded. */
export interface UndecodableBatch {
  /** Its base offset, whatever offset was requested. If nothing in it can be trusted, the offset after the previous batch. */
  readonly from: number;
  /** The offset after the batch; undefined if nothing in the batch can be trusted. */
  readonly to: number | undefined;
  readonly code: DecodeErrorCode;
  /** Continues "The batch cannot be decoded: …". */
  readonly reason: string;
  /** The batch as the broker sent it, or the bytes that certainly belong to it. */
  readonly bytes: Buffer;
  /** SHA-256 of the bytes, in hex. */
  readonly sha256: string;
  /** The header as the batch holds it, valid or not. */
  readonly header: BatchHeader | undefined;
}

/** Some of the records of an answer. */
export interface RecordRun {
  /** The records that a read-committed consumer may see, in ascending order of offset. */
  readonly records: readonly KafkaRecord[];
  /** The offset after this run. Offsets before it without a record are markers, or were aborted or compacted. */
  readonly next: number;
  /** The batch that begins at `next`, or before `next` if the answer begins inside the batch; no run follows it. */
  readonly undecodable?: UndecodableBatch;
}

/**
 * Decodes an answer run by run, so that only one run is in memory. Never throws: an undecodable batch ends the iteration.
 *
 * @param from the offset that was asked for; records before it are left out
 */
export function* readAnswer(answer: PartitionAnswer, from: number, bytesAtOnce = runBytesMax): Generator<RecordRun, void> {
  if (answer.refused !== undefined) {
    yield { records: [], next: from, undecodable: undecodableOf(from, undefined, 'broker-refused', answer.refused, Buffer.alloc(0)) };
    return;
  }
  const aborted = new AbortedTransactions(answer.aborted);
  let records: KafkaRecord[] = [];
  let bytes = 0;
  let passed = from;
  let next = from;
  for (const { batch, following } of batchesOf(answer.records)) {
    const decoded = decodeBatch(batch, next, aborted);
    if (decoded instanceof DecodeError) {
      const undecodable = undecodableBatch(batch, decoded, next, answer.highWatermark, following);
      yield { records, next: Math.max(next, undecodable.from), undecodable };
      return;
    }
    for (const record of decoded.records) if (record.offset >= next) records.push(record);
    next = Math.max(next, decoded.to);
    bytes += decoded.bytes;
    if (bytes < bytesAtOnce) continue;
    yield { records, next };
    records = [];
    bytes = 0;
    passed = next;
  }
  if (next > passed) yield { records, next };
}

interface RawBatch {
  /** The whole batch; of one whose length contradicts the answer, its header. */
  readonly batch: Buffer;
  /** The base offset of the batch after it. */
  readonly following: number | undefined;
}

function* batchesOf(records: Buffer): Generator<RawBatch> {
  for (let at = 0; at + batchPrefixBytes <= records.length;) {
    const end = at + batchPrefixBytes + records.readInt32BE(at + 8);
    if (end > records.length && at > 0) return;
    if (end > records.length || end < at + batchPrefixBytes) {
      // A broker sends the first batch whole, however large it is.
      yield { batch: records.subarray(at, at + batchHeaderBytes), following: undefined };
      return;
    }
    yield {
      batch: records.subarray(at, end),
      following: end + batchPrefixBytes <= records.length ? Number(records.readBigInt64BE(end)) : undefined,
    };
    at = end;
  }
}

interface DecodedBatch {
  readonly records: readonly KafkaRecord[];
  readonly to: number;
  readonly bytes: number;
}

const nothing: readonly KafkaRecord[] = [];

function decodeBatch(batch: Buffer, next: number, aborted: AbortedTransactions): DecodedBatch | DecodeError {
  try {
    const length = batch.length < batchPrefixBytes ? 0 : batch.readInt32BE(8);
    if (length + batchPrefixBytes !== batch.length)
      return new DecodeError('bad-header', `its header names ${length} bytes, which the answer does not hold`);
    const magic = batch[16];
    if (magic === 0 || magic === 1) {
      const { records, bytes } = readLegacyMessage(batch);
      return { records, to: checkedOffset(Number(batch.readBigInt64BE(0))) + 1, bytes };
    }
    const header = readHeader(batch);
    if (header === undefined)
      return new DecodeError(
        'unknown-format',
        magic === undefined || magic === 2 ? `it has ${batch.length} bytes` : `its message format is ${magic}`,
      );
    checkCrc(batch);
    const to = checkedOffset(header.lastOffset) + 1;
    if (header.lastOffset < header.baseOffset)
      return new DecodeError('bad-header', `its header names the offsets ${header.baseOffset} to ${header.lastOffset}`);
    if (to <= next) return { records: nothing, to, bytes: 0 };
    // As in Kafka's own client: no one may see these records, so they are not decoded.
    if (aborted.hides(header) && !header.control) return { records: nothing, to, bytes: 0 };
    const decoded = readRecords(batch, header);
    if (!header.control) return { ...decoded, to };
    if (decoded.records.length > 0) aborted.takeMarker(header, decoded);
    return { records: nothing, to, bytes: decoded.bytes };
  } catch (error) {
    return error instanceof DecodeError ? error : new DecodeError('bad-record', (error as Error).message, { cause: error });
  }
}

function checkedOffset(offset: number): number {
  if (!Number.isSafeInteger(offset) || offset < 0) throw new DecodeError('bad-header', `its header names the offset ${offset}`);
  return offset;
}

function undecodableBatch(
  batch: Buffer,
  { code, message }: DecodeError,
  next: number,
  highWatermark: number,
  following: number | undefined,
): UndecodableBatch {
  const { baseOffset: base, lastOffset: last } = readHeader(batch) ?? { baseOffset: Number.NaN, lastOffset: Number.NaN };
  // If the checksum does not confirm a header, trust it only as far as it fits the offsets around it.
  const fits = last >= next && last < highWatermark && last - base < undecodableOffsetsMax && (following === undefined || following > last);
  const believed = code !== 'bad-header' && base >= 0 && fits && (code !== 'bad-checksum' || base <= next);
  return believed ? undecodableOf(base, last + 1, code, message, batch) : undecodableOf(next, undefined, code, message, batch);
}

function undecodableOf(from: number, to: number | undefined, code: DecodeErrorCode, reason: string, bytes: Buffer): UndecodableBatch {
  return { from, to, code, reason, bytes, sha256: createHash('sha256').update(bytes).digest('hex'), header: readHeader(bytes) };
}
