/** A piece of work that waits for its dependency to come back. */
export interface QueueEntry<Item = unknown> {
  /** Identifies the work: putting the same id again changes nothing. 1–128 characters. */
  readonly id: string;
  /** Entries of one key are replayed in the order in which they were put. */
  readonly key: string;
  /** What the replay needs; plain JSON. */
  readonly item: Item;
}

/** What became of one pass over the queue. */
export interface ReplaySummary {
  /** Entries whose work is done; they are gone from the queue. */
  readonly replayed: number;
  /** Entries that are still there. */
  readonly kept: number;
}

/**
 * Port of the `queue` fallback: takes work durably while a dependency is down and hands it back later.
 * `fallbackQueueConformance` is the test that every adapter has to pass.
 */
export interface FallbackQueue<Item = unknown> {
  /**
   * Takes one entry. It is durable when the promise is fulfilled, and not taken when it is rejected.
   * @throws QueueFullError when the queue holds as many entries as it may
   * @throws the signal's reason when it aborts before the entry is durable
   */
  put(entry: QueueEntry<Item>, options: { readonly signal: AbortSignal }): Promise<void>;
  /**
   * One pass over what is queued: calls `run` with one entry of a key at a time, in order. An entry leaves the queue after its `run` is fulfilled;
   * when it is rejected, the entry stays first of its key, the key's later entries wait for the next pass, and other keys go on.
   * Resolves when nothing more can be run in this pass, or soon after the signal has aborted. The work is at least once: a crash between `run` and its removal repeats it.
   */
  replay(run: (entry: QueueEntry<Item>, options: { readonly signal: AbortSignal }) => Promise<void>, options: { readonly signal: AbortSignal }): Promise<ReplaySummary>;
  /** How many entries it holds. */
  size(): Promise<number>;
}

/** Answer of a call whose work was queued: accepted, not done. */
export interface QueuedReceipt {
  readonly queued: true;
  /** The entry's id. */
  readonly id: string;
}
