import type { QueryRecord } from './query-record.ts';
import { isFinal } from './query-record.ts';

/** First and longest wait between two looks, in milliseconds: a quick query is seen soon, and a slow one costs Redis two looks a second. */
const lookMs = { min: 25, max: 500 } as const;

/** Waits that are counted, so that no more than a limit are held open. */
export class QueryWaits {
  readonly #waitersMax: number;
  #waiters = 0;

  constructor(waitersMax: number) {
    this.#waitersMax = waitersMax;
  }

  /**
   * Looks at a query until it has ended or the time is over, and returns what it saw last. Beyond the limit of waiters it looks once.
   *
   * @throws what `find` throws, for the first look only
   * @param sleep waits, or returns early when the signal aborts
   */
  async untilEnded(find: () => Promise<QueryRecord | undefined>, waitMs: number, now: () => number, sleep: (ms: number, signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<QueryRecord | undefined> {
    const until = now() + waitMs;
    let record = await find();
    if (this.#waiters >= this.#waitersMax) return record;
    this.#waiters += 1;
    try {
      for (let pauseMs: number = lookMs.min; record !== undefined && !isFinal(record.state) && !signal.aborted; pauseMs = Math.min(pauseMs * 1.5, lookMs.max)) {
        const leftMs = until - now();
        if (leftMs <= 0) break;
        await sleep(Math.min(pauseMs, leftMs), signal);
        // A look that fails is made up by the next: the query goes on without it.
        record = await find().catch(() => record);
      }
      return record;
    } finally {
      this.#waiters -= 1;
    }
  }
}
