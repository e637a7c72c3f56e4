import { crc32c } from '@platformatic/kafka';
import { OutboxError } from '../errors.ts';
import type { LogDirectory, LogFile } from './log-file-system.ts';
import { decodeRecord, payloadBytesMax, recordBytesAt, recordHeadBytes } from './log-record.ts';

/** Magic, position of the first record, checksum of both, padding. */
const headBytes = 24;
const magic = Buffer.from('MROUTBX1', 'latin1');
/** The begin of a head whose format has another number. */
const otherFormat = /^MROUTBX([02-9])/;
const namePattern = /^(\d{20})\.log$/;

/** Bytes that are read at once. A record larger than this is read alone. */
const readBytes = 1024 * 1024;

/** Name of the segment whose first record has that position. */
export function segmentName(base: number): string {
  return `${String(base).padStart(20, '0')}.log`;
}

/** Position of the first record, by the name of a file; undefined when the file is not a segment. */
export function baseOfName(name: string): number | undefined {
  const digits = namePattern.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** A record and the positions where it begins and ends. */
export interface PlacedRecord {
  readonly start: number;
  readonly end: number;
  readonly payload: Buffer;
}

/**
 * One file of the log. A position counts the bytes of all records since the log began, so no two records share one. The end of a segment is
 * the base of the next one.
 */
export class Segment {
  readonly base: number;
  readonly #file: LogFile;
  #end: number;
  #fileBytes: number;
  #writable: boolean;

  private constructor(base: number, file: LogFile, end: number, writable: boolean) {
    this.base = base;
    this.#file = file;
    this.#end = end;
    this.#fileBytes = headBytes + end - base;
    this.#writable = writable;
  }

  /** Creates the file with its head. Both are durable on return. On an error no file is left, if the disk allows it. */
  static async create(directory: LogDirectory, base: number): Promise<Segment> {
    const name = segmentName(base);
    const file = await directory.create(name);
    try {
      await file.write(headOf(base), 0);
      await file.sync();
      await directory.sync();
      return new Segment(base, file, base, true);
    } catch (error) {
      await file.close().catch(() => undefined);
      await directory.remove(name).catch(() => undefined);
      throw error;
    }
  }

  /**
   * Opens a segment that another one follows: its end is known, and it is never written again.
   *
   * @throws OutboxError `damaged` when its head does not fit its name
   */
  static async openSealed(directory: LogDirectory, base: number, end: number): Promise<Segment> {
    const file = await openWithHead(directory, base);
    if (file === undefined)
      throw new OutboxError(
        'damaged',
        `The outbox file ${segmentName(base)} has no valid head: restore it, or move it away to give its events up.`,
      );
    return new Segment(base, file, end, false);
  }

  /**
   * Opens the last segment and cuts the torn tail. It writes all valid bytes again and syncs them. After a failed sync the system may hold
   * bytes in memory that are not on disk, and consider them clean.
   *
   * @returns undefined when the head is torn: then no event of this segment was ever acknowledged
   */
  static async openLast(directory: LogDirectory, base: number): Promise<Segment | undefined> {
    const file = await openWithHead(directory, base);
    if (file === undefined) return undefined;
    const segment = new Segment(base, file, Number.MAX_SAFE_INTEGER, true);
    let end = base;
    await file.write(headOf(base), 0);
    for (;;) {
      const chunk = await segment.#readChunk(end, readBytes);
      const bytes = validBytes(chunk);
      if (bytes === 0) break;
      await file.write(chunk.subarray(0, bytes), headBytes + end - base);
      end += bytes;
    }
    await file.truncate(headBytes + end - base);
    await file.sync();
    // The entry may be newer than the last sync of the directory.
    await directory.sync();
    segment.#end = end;
    segment.#fileBytes = headBytes + end - base;
    return segment;
  }

  /** Position after the last durable record. */
  get end(): number {
    return this.#end;
  }

  /** Bytes on disk. */
  get fileBytes(): number {
    return this.#fileBytes;
  }

  /** False after a write or sync that failed, and for a segment that another one follows. */
  get isWritable(): boolean {
    return this.#writable;
  }

  /**
   * Appends records and makes them durable.
   *
   * @throws when writing or syncing fails; the segment is read-only from then on, and the records are not part of it
   */
  async append(records: Uint8Array): Promise<void> {
    const at = headBytes + this.#end - this.base;
    this.#fileBytes = at + records.length;
    try {
      await this.#file.write(records, at);
      await this.#file.sync();
    } catch (error) {
      this.#writable = false;
      throw error;
    }
    this.#end += records.length;
  }

  /**
   * Reads durable records from a position on, about a megabyte of them; none at the end.
   *
   * @throws OutboxError `damaged` when a durable record does not match its checksum
   */
  async read(from: number): Promise<readonly PlacedRecord[]> {
    const chunk = await this.#readChunk(from, Math.min(readBytes, this.#end - from));
    const records: PlacedRecord[] = [];
    for (let at = 0; at < chunk.length;) {
      const payload = decodeRecord(chunk, at);
      if (payload === 'short' && records.length > 0) break;
      if (typeof payload === 'string') throw this.#damagedAt(from + at);
      const end = at + recordHeadBytes + payload.length;
      records.push({ start: from + at, end: from + end, payload });
      at = end;
    }
    if (records.length === 0 && from < this.#end) throw this.#damagedAt(from);
    return records;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  /** Closes the file and removes it. */
  async remove(directory: LogDirectory): Promise<void> {
    await this.#file.close();
    await directory.remove(segmentName(this.base));
  }

  /** Reads bytes, and more of them when the first record is larger. */
  async #readChunk(from: number, bytes: number): Promise<Buffer> {
    const at = headBytes + from - this.base;
    const chunk = await this.#file.read(at, Math.max(0, bytes));
    const first = recordBytesAt(chunk, 0);
    const isLarger = first !== undefined && first > chunk.length && first <= recordHeadBytes + payloadBytesMax && from + first <= this.#end;
    return isLarger ? await this.#file.read(at, first) : chunk;
  }

  #damagedAt(position: number): OutboxError {
    return new OutboxError(
      'damaged',
      `The outbox file ${segmentName(this.base)} is damaged at byte ${headBytes + position - this.base}: restore it, or move it away to give its events up.`,
    );
  }
}

function headOf(base: number): Buffer {
  const head = Buffer.alloc(headBytes);
  magic.copy(head);
  head.writeBigUInt64LE(BigInt(base), 8);
  head.writeUInt32LE(crc32c(head.subarray(0, 16)) >>> 0, 16);
  return head;
}

/**
 * Opens a segment. Undefined, and the file closed, when its head is torn or does not fit its name.
 *
 * @throws OutboxError `other-format` when another release wrote the file
 */
async function openWithHead(directory: LogDirectory, base: number): Promise<LogFile | undefined> {
  const name = segmentName(base);
  const file = await directory.open(name);
  const head = await file.read(0, headBytes);
  if (head.equals(headOf(base))) return file;
  await file.close();
  const format = otherFormat.exec(head.toString('latin1'))?.[1];
  if (format === undefined) return undefined;
  throw new OutboxError(
    'other-format',
    `The outbox file ${name} has format ${format}, and this release reads format 1: drain the outbox with the release that wrote it.`,
  );
}

/** Bytes of the valid records at the begin of a chunk. */
function validBytes(chunk: Buffer): number {
  let at = 0;
  for (;;) {
    const payload = decodeRecord(chunk, at);
    if (typeof payload === 'string') return at;
    at += recordHeadBytes + payload.length;
  }
}
