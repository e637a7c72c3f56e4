/** Work that waits until its dependency is available again. */
export interface QueueEntry<Item = unknown> {
  /** Identifies the work, 1–128 characters. Putting the same id again has no effect. */
  readonly id: string;
  /** Entries of one key are replayed in the order in which they were put. */
  readonly key: string;
  /** Data that the replay needs; plain JSON. */
  readonly item: Item;
}

/** Result of one pass over the queue. */
export interface ReplaySummary {
  /** Number of entries whose work is done; the queue has removed them. */
  readonly replayed: number;
  /** Number of entries that remain in the queue. */
  readonly kept: number;
}

/**
 * Port of the `queue` fallback: stores work durably while a dependency is down and returns it later.
 * Test every adapter with {@link fallbackQueueConformance}.
 *
 * @example Accept orders while the order service is down, and replay them every minute.
 * ```ts
 * const orders = createPipeline({ name: 'orders', breaker: {}, fallbacks: [{ kind: 'queue', queue }] });
 * const answer = await orders.execute(({ signal }) => postOrder(order, signal), { entry: { id: order.id, key: order.userId, item: order }
 * });
 * setInterval(() => void orders.replay((entry, { signal }) => postOrder(entry.item as Order, signal)), 60_000);
 * ```
 */
export interface FallbackQueue<Item = unknown> {
  /**
   * Stores one entry. When the promise is fulfilled, the entry is durable. When it is rejected, the queue does not hold the entry.
   * @throws QueueFullError when the queue holds its maximum number of entries
   * @throws the signal's reason when it aborts before the entry is durable
   */
  put(entry: QueueEntry<Item>, options: { readonly signal: AbortSignal }): Promise<void>;
  /**
   * Makes one pass over the queue. It calls `run` for the entries of a key in order, one at a time, and removes an entry after its
   * `run` is fulfilled. After a rejected `run`, the entry stays first of its key, and the later entries of that key wait for the
   * next pass. Other keys continue. The promise resolves at the end of the pass or soon after the signal aborts.
   * Delivery is at least once: a crash between `run` and the removal repeats the work.
   */
  replay(
    run: (entry: QueueEntry<Item>, options: { readonly signal: AbortSignal }) => Promise<void>,
    options: { readonly signal: AbortSignal },
  ): Promise<ReplaySummary>;
  /** Number of entries in the queue. */
  size(): Promise<number>;
}

/** Answer for a call whose work was queued: the work is accepted but not done. */
export interface QueuedReceipt {
  readonly queued: true;
  /** Id of the entry. */
  readonly id: string;
}
