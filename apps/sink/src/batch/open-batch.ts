import { crc32 } from 'node:zlib';
import { appendRange } from '@millrace/lake';
import type { SealedBatch, Segment } from '../spool/batch.ts';
import type { Reject, Row } from './records/check.ts';
import type { LogRecord } from '../kafka/log.ts';
import type { BatchFiles } from '../spool/spool.ts';
import { LineChunks } from './line-chunks.ts';

const rejectsFile = 'rejects.ndjson';

interface Tally {
  rows: number;
  bytes: number;
  crc32: number;
  minTimestamp: number;
  maxTimestamp: number;
}

/** A record whose event is already in the table. */
export interface Duplicate {
  readonly kind: 'duplicate';
  readonly offset: number;
  readonly eventId: string;
}

/** One record with the result of its check. */
export interface CheckedRecord {
  readonly record: LogRecord;
  readonly result: Row | Reject | Duplicate;
}

/**
 * The batch that a lane is filling. Lines go to one segment on disk per value of the partition key. Memory holds only tallies, so
 * neither many open days nor a long batch costs memory.
 */
export class OpenBatch {
  readonly from: number;
  readonly prev: string | null;
  readonly #files: BatchFiles;
  readonly #segments = new Map<string, Tally>();
  readonly #rejects = { count: 0, bytes: 0, crc32: 0 };
  #bytes = 0;
  readonly #dropped: [number, number][] = [];
  readonly #rejected: [number, number][] = [];
  readonly #absent: [number, number][] = [];
  #next: number;
  #last: SealedBatch['last'];

  /** @param last the last record before the batch, for an entry whose offsets hold none */
  constructor(from: number, prev: string | null, files: BatchFiles, last?: SealedBatch['last']) {
    this.from = from;
    this.prev = prev;
    this.#files = files;
    this.#next = from;
    this.#last = last;
  }

  get files(): BatchFiles {
    return this.#files;
  }

  get id(): string {
    return this.#files.batchId;
  }

  /** The offset that is appended next. */
  get next(): number {
    return this.#next;
  }

  /** Raw bytes so far; the flush hint counts them. */
  get bytes(): number {
    return this.#bytes;
  }

  get segmentCount(): number {
    return this.#segments.size;
  }

  /**
   * Appends checked records, which ascend from {@link next}; offsets left out are absent from the topic.
   *
   * All or nothing: when a write fails nothing is counted, and the batch is as it was.
   */
  async append(checked: readonly CheckedRecord[]): Promise<void> {
    const chunks = new Map<string, LineChunks>();
    let lines: LineChunks | undefined;
    let linesDt: string | undefined;
    for (const { result } of checked) {
      if (result.kind === 'duplicate') continue;
      const dt = result.kind === 'row' ? result.dt : undefined;
      if (lines === undefined || dt !== linesDt) {
        const file = dt === undefined ? rejectsFile : segmentFile(dt);
        lines = chunks.get(file) ?? new LineChunks();
        chunks.set(file, lines);
        linesDt = dt;
      }
      lines.add(result);
    }
    const texts = [...chunks].map(([file, chunk]): readonly [string, Buffer] => [file, chunk.end()]);
    for (const [file, text] of texts) await this.#files.write(file, text, this.#lengthOf(file));
    for (const one of checked) this.#count(one);
    // A record that cannot be read cannot identify the log.
    const last = checked.findLast(({ record }) => record.undecodable === undefined);
    if (last !== undefined) this.#last = identityOf(last);
    // Count the records only after every write has succeeded.
    for (const [file, text] of texts) {
      const tally = file === rejectsFile ? this.#rejects : this.#segments.get(dtOf(file))!;
      tally.bytes += text.byteLength;
      tally.crc32 = crc32(text, tally.crc32);
      this.#bytes += text.byteLength;
    }
  }

  /** Passes offsets that hold no record, up to and without `next`. */
  pass(next: number): void {
    appendRange(this.#absent, this.#next, next);
    this.#next = next;
  }

  /**
   * Freezes the batch and makes its lines durable.
   *
   * @param takenAt when its first record was taken, in milliseconds since the epoch
   */
  async seal(takenAt: number): Promise<SealedBatch> {
    const segments = [...this.#segments]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([dt, tally]): Segment => ({ dt, file: segmentFile(dt), ...tally }));
    const rejects = this.#rejects.count === 0 ? undefined : { file: rejectsFile, ...this.#rejects };
    await this.#files.seal([...segments, ...(rejects === undefined ? [] : [rejects])]);
    return {
      id: this.id,
      prev: this.prev,
      from: this.from,
      to: this.#next,
      segments,
      rejects,
      dropped: this.#dropped,
      rejected: this.#rejected,
      absent: this.#absent,
      last: this.#last,
      takenAt,
      files: this.#files,
      bytes: this.bytes,
    };
  }

  async discard(): Promise<void> {
    await this.#files.discard();
  }

  // Bytes of the lines counted so far. After a failed append, the next append overwrites the bytes that it left.
  #lengthOf(file: string): number {
    if (file === rejectsFile) return this.#rejects.bytes;
    return this.#segments.get(dtOf(file))?.bytes ?? 0;
  }

  #count({ record, result }: CheckedRecord): void {
    appendRange(this.#absent, this.#next, record.offset);
    this.#next = record.offset + 1;
    switch (result.kind) {
      case 'row': {
        const tally = this.#segments.get(result.dt);
        if (tally === undefined) {
          this.#segments.set(result.dt, { rows: 1, bytes: 0, crc32: 0, minTimestamp: result.eventTime, maxTimestamp: result.eventTime });
        } else {
          tally.rows += 1;
          tally.minTimestamp = Math.min(tally.minTimestamp, result.eventTime);
          tally.maxTimestamp = Math.max(tally.maxTimestamp, result.eventTime);
        }
        return;
      }
      case 'reject':
        this.#rejects.count += 1;
        appendRange(this.#rejected, record.offset, record.offset + 1);
        return;
      case 'duplicate':
        appendRange(this.#dropped, record.offset, record.offset + 1);
    }
  }
}

function identityOf({ record: { offset, timestamp }, result }: CheckedRecord): NonNullable<SealedBatch['last']> {
  return result.kind === 'reject' ? { offset, timestamp } : { offset, timestamp, eventId: result.eventId };
}

function segmentFile(dt: string): string {
  return `${dt}.ndjson`;
}

function dtOf(file: string): string {
  return file.slice(0, -'.ndjson'.length);
}
