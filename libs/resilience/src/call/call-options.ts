import type { Priority } from '../admission/load-source.ts';
import type { QueueEntry } from '../fallback-queue/fallback-queue.ts';

/** Options of one call. */
export interface CallOptions {
  /** Ends the call in any phase. It may be long-lived: the pipeline leaves no listener on it. */
  readonly signal?: AbortSignal | undefined;
  /** Epoch milliseconds after which the caller no longer waits for the answer. */
  readonly deadline?: number | undefined;
  /** Identifies the subject of the call: for cached and shared answers and for chaos rules. */
  readonly key?: string | undefined;
  /** Importance of the call under load. Default `normal`. */
  readonly priority?: Priority | undefined;
  /** Whether running the work twice has the same effect as running it once. Only idempotent work is retried. */
  readonly idempotent?: boolean | undefined;
  /**
   * Entries that the `queue` fallback stores, all or none, when the work cannot be done now. A function gets the error of the work, for a
   * call of which only a part failed. An empty list skips the fallback.
   */
  readonly entries?: readonly QueueEntry[] | ((error: unknown) => readonly QueueEntry[]) | undefined;
}

/** A fallback of one call. */
export interface CallFallback<T> {
  /** Last fallback of this call, after those of the pipeline. It counts as a `stub` and obeys the limits of fallbacks. Default: none. */
  readonly stub?: ((error: unknown) => T | PromiseLike<T>) | undefined;
}

/** Options of a call whose type is not known here. */
export type AnyCallOptions = CallOptions & CallFallback<unknown>;
