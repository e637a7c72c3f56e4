import { OutboxError } from '../errors.ts';
import { CursorFile } from './cursor-file.ts';
import type { LogDirectory } from './log-file-system.ts';
import { encodeRecord, payloadBytesMax } from './log-record.ts';
import { baseOfName, type PlacedRecord, Segment, segmentName } from './segment.ts';

/** Limits of the log. */
export interface OutboxLogLimits {
  /** Maximum bytes of all segments together, ≥ 1. */
  readonly bytesMax: number;
  /** A segment that has reached this size gets no more records, in bytes, ≥ 1. */
  readonly segmentBytesMax: number;
  /** Maximum bytes that one sync makes durable; a single group of records may be larger. ≥ 1. */
  readonly commitBytesMax: number;
}

interface Waiting {
  readonly bytes: Buffer;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * An append-only log with one reader. Concurrent appends share one sync. The reader removes records from the front: it makes its position
 * durable first and unlinks drained segments afterwards.
 */
export class OutboxLog {
  readonly #directory: LogDirectory;
  readonly #limits: OutboxLogLimits;
  readonly #cursorFile: CursorFile;
  /** Oldest first. */
  #segments: Segment[];
  #cursor: number;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #isCommitting = false;
  #isClosed = false;
  /** Writers of files take turns. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(directory: LogDirectory, limits: OutboxLogLimits, cursorFile: CursorFile, segments: Segment[], cursor: number) {
    this.#directory = directory;
    this.#limits = limits;
    this.#cursorFile = cursorFile;
    this.#segments = segments;
    this.#cursor = cursor;
  }

  /**
   * Opens the log in a directory, and creates it in an empty one. It cuts the torn tail of the last segment.
   *
   * @throws OutboxError `damaged` when a record that was durable cannot be read
   */
  static async open(directory: LogDirectory, limits: OutboxLogLimits): Promise<OutboxLog> {
    const { cursor: cursorFile, position } = await CursorFile.open(directory);
    const bases = (await directory.list()).flatMap(({ name }) => baseOfName(name) ?? []).toSorted((a, b) => a - b);
    const segments: Segment[] = [];
    for (const [index, base] of bases.entries()) {
      const next = bases[index + 1];
      const segment = next === undefined ? await Segment.openLast(directory, base) : await Segment.openSealed(directory, base, next);
      if (segment === undefined) await directory.remove(segmentName(base));
      else segments.push(segment);
    }
    const first = segments[0]?.base ?? 0;
    const end = segments.at(-1)?.end ?? 0;
    // Without a readable pointer every event is published again; the sink removes the repetitions.
    const cursor = Math.max(position ?? 0, first);
    const log = new OutboxLog(directory, limits, cursorFile, segments, cursor);
    // New records must have positions above the pointer, or they would count as published.
    if (cursor > end) await log.#removeSegments(() => true);
    else await log.#removeSegments((segment) => segment.end <= cursor && segment !== segments.at(-1));
    return log;
  }

  /** Position of the first record that the reader has not removed. */
  get cursor(): number {
    return this.#cursor;
  }

  /** Position after the last durable record. */
  get end(): number {
    return this.#segments.at(-1)?.end ?? this.#cursor;
  }

  /** Bytes on disk, and of records that wait for it. */
  get bytes(): number {
    return this.#segments.reduce((sum, { fileBytes }) => sum + fileBytes, this.#waitingBytes);
  }

  /** Limit of {@link bytes}. */
  get bytesMax(): number {
    return this.#limits.bytesMax;
  }

  /**
   * Appends records, all or none. They are durable and readable on return. Appends are durable in the order of the calls.
   *
   * @throws OutboxError `queue-full` when they do not fit into the limit
   * @throws OutboxError `unwritable` when the disk fails; after a restart the records may be in the log nevertheless
   * @throws OutboxError `closed` after {@link close}
   */
  async append(payloads: readonly Uint8Array[]): Promise<void> {
    if (this.#isClosed) throw new OutboxError('closed', 'The outbox is closed.');
    if (payloads.some(({ length }) => length === 0 || length > payloadBytesMax))
      throw new RangeError(`A record of the outbox has 1 to ${payloadBytesMax} bytes.`);
    const bytes = Buffer.concat(payloads.map(encodeRecord));
    if (this.bytes + bytes.length > this.#limits.bytesMax)
      throw new OutboxError('queue-full', `The outbox is full: it holds ${this.bytes} of at most ${this.#limits.bytesMax} bytes.`);
    this.#waitingBytes += bytes.length;
    await new Promise<void>((resolve, reject) => {
      this.#waiting.push({ bytes, resolve, reject });
      if (!this.#isCommitting) void this.#commitAll();
    });
  }

  /**
   * Reads durable records from a position on, about a megabyte of them; none at the end of the log.
   *
   * @param from {@link cursor}, or the end of a record
   * @throws OutboxError `damaged` when a record does not match its checksum
   */
  async read(from: number): Promise<readonly PlacedRecord[]> {
    const segment = this.#segments.find(({ base, end }) => base <= from && from < end);
    return segment === undefined ? [] : await segment.read(from);
  }

  /**
   * Removes all records before a position. The position is durable before a segment is unlinked: otherwise a power cut could leave a
   * pointer into a file that is gone.
   */
  async removeBefore(position: number): Promise<void> {
    await this.#inTurn(async () => {
      if (position > this.#cursor) {
        await this.#cursorFile.write(position);
        this.#cursor = position;
      }
      // The last segment goes too when it is drained: its space is free then.
      await this.#removeSegments((segment) => segment.end <= this.#cursor && segment.end > segment.base);
    });
  }

  /** Waits for the records on their way and closes the files. Later appends are refused. */
  async close(): Promise<void> {
    this.#isClosed = true;
    while (this.#isCommitting) await this.#turn;
    await this.#inTurn(async () => {
      for (const segment of this.#segments) await segment.close();
      await this.#cursorFile.close();
    });
  }

  async #commitAll(): Promise<void> {
    this.#isCommitting = true;
    while (this.#waiting.length > 0) await this.#inTurn(async () => await this.#commit(this.#takeGroup()));
    this.#isCommitting = false;
  }

  async #commit(group: readonly Waiting[]): Promise<void> {
    const bytes = Buffer.concat(group.map((one) => one.bytes));
    try {
      await (await this.#writableSegment()).append(bytes);
    } catch (cause) {
      const error = new OutboxError('unwritable', 'The outbox cannot be written.', { cause });
      for (const { reject } of group) reject(error);
      return;
    } finally {
      this.#waitingBytes -= bytes.length;
    }
    for (const { resolve } of group) resolve();
  }

  #takeGroup(): readonly Waiting[] {
    let count = 0;
    let bytes = 0;
    while (count < this.#waiting.length && (count === 0 || bytes + this.#waiting[count]!.bytes.length <= this.#limits.commitBytesMax)) {
      bytes += this.#waiting[count]!.bytes.length;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  async #writableSegment(): Promise<Segment> {
    const last = this.#segments.at(-1);
    if (last?.isWritable === true && last.fileBytes < this.#limits.segmentBytesMax) return last;
    const base = this.end;
    // A segment that failed before its first record has the name of its successor.
    if (last?.base === base) await this.#removeSegments((segment) => segment === last);
    const segment = await Segment.create(this.#directory, base);
    this.#segments.push(segment);
    return segment;
  }

  async #removeSegments(isRemoved: (segment: Segment) => boolean): Promise<void> {
    for (const segment of this.#segments.filter(isRemoved)) {
      this.#segments = this.#segments.filter((one) => one !== segment);
      await segment.remove(this.#directory);
    }
  }

  async #inTurn(run: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(run);
    this.#turn = turn.catch(() => undefined);
    await turn;
  }
}
