import type { LedgerEntry } from '@millrace/lake';
import type { Check } from '../../batch/records/check.ts';
import type { LogRange, LogRecord } from '../../kafka/log.ts';

/** A record that identifies the log. If no record was ever seen: the offset from which on the log must hold no record. */
export interface Witness {
  readonly offset: number;
  /** Missing where there must be no record between the offset and the lane's position. */
  readonly timestamp?: string;
  /** Missing where the record was a reject. */
  readonly eventId?: string | undefined;
}

/** How to handle a fetch that did not start at the expected offset. */
export type Verdict =
  /** The log ends before an offset that was already reached: it is another log. */
  | 'shorter'
  /** Retention removed offsets that were never read; the lane continues at the log's start. */
  | 'retention'
  /** Fetch again, from {@link LogPosition.expected}. */
  | 'again'
  /** The log holds no records in between; the fetch is valid. */
  | 'hole'
  /** The record that identifies the log is missing. */
  | 'unknown';

/**
 * A lane's position in its log, and the check that the log is still the same. The lane reads the record before its position again after
 * every start and every rebalance. This is necessary because kafkajs silently resets a position outside the log and rewinds kept partitions
 * to the committed offset. It also does not notice a topic that was deleted and recreated.
 */
export class LogPosition {
  #next = 0;
  /** Set while the next fetch must prove that the log is the same. */
  #witness: Witness | undefined;
  #latest: Witness | undefined;
  /** Offsets before this one are gone. */
  #low = 0;
  /** A jump of the fetch offset that occurred once. The second time it is a hole in the log. */
  #jump: string | undefined;

  /** The offset that is appended next. */
  get next(): number {
    return this.#next;
  }

  /** The offset at which the next fetch has to start. */
  get expected(): number {
    return this.#witness?.offset ?? this.#next;
  }

  get witness(): Witness | undefined {
    return this.#witness;
  }

  /**
   * Starts at the end of a chain.
   *
   * @param last the last record that the chain's end names
   * @param low the first offset that the log still holds
   */
  start(next: number, last: LedgerEntry['last'], low: number): void {
    this.#next = next;
    this.#latest = last === undefined ? undefined : { offset: last.offset, timestamp: last.timestamp, eventId: last.eventId };
    this.#low = low;
    this.#jump = undefined;
    this.prove(low);
  }

  /** Requires a new proof that the log is the same, if the log still holds the record for it. */
  prove(low = 0): void {
    const from = Math.max(low, this.#low);
    if (this.#latest === undefined) this.#witness = this.#next > from ? { offset: from } : undefined;
    else this.#witness = this.#latest.offset >= low ? this.#latest : undefined;
  }

  /** The fetch started at {@link expected} and the record there was the right one. */
  proved(): void {
    this.#witness = undefined;
    this.#jump = undefined;
  }

  /** Records up to and without `next` were appended. */
  appended(next: number, last: Witness): void {
    this.#next = next;
    this.#latest = last;
  }

  /** Offsets up to and without `next` hold no record, or none that can be read. */
  passed(next: number): void {
    this.#next = next;
  }

  /** Offsets below `low` are gone. */
  skipTo(low: number): void {
    this.#next = low;
    this.#low = low;
    this.#witness = undefined;
    this.#latest = undefined;
  }

  judge(fetchedOffset: number, { low, high }: LogRange): Verdict {
    if (high < this.#next) return 'shorter';
    if (low > this.#next) return 'retention';
    if (this.#witness !== undefined && low > this.#witness.offset) {
      this.#witness = undefined;
      return 'again';
    }
    if (fetchedOffset <= this.expected) {
      this.prove(low);
      return 'again';
    }
    // One such fetch may predate a seek. Two from the same offset mean that the broker has no records in between.
    const jump = `${this.expected}>${fetchedOffset}`;
    if (this.#jump === jump) return this.#witness === undefined ? 'hole' : 'unknown';
    this.#jump = jump;
    return 'again';
  }
}

/**
 * Whether a fetch proves that the log is still the same.
 *
 * @param next the lane's position
 */
export function isWitness([record]: readonly LogRecord[], next: number, witness: Witness, check: Check): boolean {
  if (witness.timestamp === undefined) return record === undefined || record.offset >= next;
  if (record === undefined || record.offset !== witness.offset || record.timestamp !== witness.timestamp) return false;
  if (witness.eventId === undefined) return true;
  const result = check(record);
  return result.kind === 'row' && result.eventId === witness.eventId;
}
