import type { QueryEnds } from './query-ends.ts';
import type { QueryRecord } from './query-record.ts';
import { isFinal } from './query-record.ts';

/**
 * Initial and maximum interval between two polls, in milliseconds. Workers announce the end; a poll finds an end whose message was lost.
 */
const lookMs = { min: 100, max: 1000 } as const;

/** One wait. */
export interface EndWait {
  readonly id: string;
  readonly find: () => Promise<QueryRecord | undefined>;
  readonly waitMs: number;
  readonly now: () => number;
  /** Waits, or returns early when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly signal: AbortSignal;
}

/** Waits that are counted, so that no more than a limit are held open. */
export class QueryWaits {
  readonly #waitersMax: number;
  readonly #ends: Pick<QueryEnds, 'watch'>;
  #waiters = 0;

  constructor(waitersMax: number, ends: Pick<QueryEnds, 'watch'>) {
    this.#waitersMax = waitersMax;
    this.#ends = ends;
  }

  /**
   * Waits until a query has ended or the time is over, and returns the last state read. Beyond the limit of waiters it reads once.
   *
   * @throws the errors of `find`, for the first read only
   */
  async untilEnded({ id, find, waitMs, now, sleep, signal }: EndWait): Promise<QueryRecord | undefined> {
    const until = now() + waitMs;
    if (this.#waiters >= this.#waitersMax) return await find();
    this.#waiters += 1;
    // Subscribe before the first read: the end of the query cannot be missed between them.
    const watch = this.#ends.watch(id);
    try {
      let record = await find();
      for (
        let pauseMs: number = lookMs.min;
        record !== undefined && !isFinal(record.state) && !signal.aborted;
        pauseMs = Math.min(pauseMs * 1.5, lookMs.max)
      ) {
        const leftMs = until - now();
        if (leftMs <= 0) break;
        await sleep(Math.min(pauseMs, leftMs), watch.ended.aborted ? signal : AbortSignal.any([signal, watch.ended]));
        // The next poll repeats a failed one.
        record = await find().catch(() => record);
      }
      return record;
    } finally {
      watch.close();
      this.#waiters -= 1;
    }
  }
}
