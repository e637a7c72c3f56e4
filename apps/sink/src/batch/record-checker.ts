import type { Stream } from '@millrace/contracts';
import { PlacedRecord } from '@millrace/kafka';
import type { DedupWindow } from '../dedup/dedup-window.ts';
import { copyId, readIdWords, wordsPerId } from '../dedup/ids/id-words.ts';
import { KeptIds } from '../dedup/kept-ids.ts';
import type { LogRecord } from '../kafka/log.ts';
import type { CheckedRecord } from './open-batch.ts';
import { lastDayKept, type Check } from './records/check.ts';
import { PlainRow } from './records/plain/plain-row.ts';
import { notPlain, PlainScanner } from './records/plain/plain-scanner.ts';

// A larger buffer of lines is not kept for the next part.
const keptBytesMax = 4 * 1024 * 1024;

/** The results for one part of a fetch. */
export interface CheckedPart {
  readonly checked: readonly CheckedRecord[];
  /** The event id of the n-th record from word 4n on, where the record is a row or a duplicate. */
  readonly ids: Uint32Array;
}

/**
 * Checks the records of one lane, and marks those whose event is a kept row already, in the window or earlier in the same part. It only
 * reads the window: kept rows are added to it once they are on disk.
 */
export class RecordChecker {
  readonly #check: Check;
  readonly #scanner: PlainScanner | undefined;
  readonly #dayOf = lastDayKept();
  readonly #kept = new KeptIds();
  #lines = Buffer.alloc(0);
  #ids = new Uint32Array(0);

  constructor(stream: Stream, check: Check) {
    this.#check = check;
    this.#scanner = PlainScanner.of(stream);
  }

  /** Checks one part. The next call overwrites lines and ids of the result. */
  check(records: readonly LogRecord[], window: DedupWindow): CheckedPart {
    const lines = this.#roomFor(records);
    if (this.#ids.length < records.length * wordsPerId) this.#ids = new Uint32Array(records.length * wordsPerId);
    const ids = this.#ids;
    this.#kept.clear(records.length);
    let at = 0;
    const checked: CheckedRecord[] = [];
    for (let n = 0; n < records.length; n += 1) {
      const record = records[n]!;
      const place = n * wordsPerId;
      const result = this.#plainRow(record, lines, at) ?? this.#check(record);
      if (result instanceof PlainRow) copyId(this.#scanner!.idWords, 0, ids, place);
      else if (result.kind === 'row') readIdWords(result.eventId, ids, place);
      if (result.kind === 'row' && this.#isRepeated(ids, place, record.offset, window)) {
        checked.push({ record, result: { kind: 'duplicate', offset: record.offset, eventId: result.eventId } });
        continue;
      }
      if (result.kind === 'row') this.#kept.add(ids, n, record.offset);
      if (result instanceof PlainRow) at = result.to;
      checked.push({ record, result });
    }
    return { checked, ids };
  }

  #plainRow(record: LogRecord, lines: Buffer, at: number): PlainRow | undefined {
    const scanner = this.#scanner;
    if (scanner === undefined || record.undecodable !== undefined) return undefined;
    const { offset } = record;
    let to = notPlain;
    if (record instanceof PlacedRecord) {
      const { bytes, valueFrom, valueLength } = record;
      if (valueLength > 0) to = scanner.scan(bytes, valueFrom, valueFrom + valueLength, offset, lines, at);
    } else if (record.value !== null) {
      to = scanner.scan(record.value, 0, record.value.length, offset, lines, at);
    }
    return to === notPlain
      ? undefined
      : new PlainRow(offset, this.#dayOf(scanner.eventTime), scanner.eventTime, lines, at, to, scanner.idAt);
  }

  #isRepeated(ids: Uint32Array, place: number, offset: number, window: DedupWindow): boolean {
    if (window.offsets === 0) return false;
    const keptAt = this.#kept.lastOf(ids, place);
    return (keptAt !== undefined && offset - keptAt <= window.offsets) || window.holdsId(ids, place, offset);
  }

  #roomFor(records: readonly LogRecord[]): Buffer {
    if (this.#scanner === undefined) return this.#lines;
    let bytes = 0;
    for (const record of records)
      bytes += this.#scanner.lineBytesMax(record instanceof PlacedRecord ? Math.max(0, record.valueLength) : (record.value?.length ?? 0));
    if (bytes <= this.#lines.length) return this.#lines;
    const lines = Buffer.allocUnsafeSlow(bytes);
    if (bytes <= keptBytesMax) this.#lines = lines;
    return lines;
  }
}
