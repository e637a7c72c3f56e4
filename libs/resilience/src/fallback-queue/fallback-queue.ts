/** Work that waits until its dependency is available again. */
export interface QueueEntry<Item = unknown> {
  /** Identifies the work, 1–128 characters. The receiver of the work recognises repetitions by it; the queue need not. */
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
 * const entries = [{ id: order.id, key: order.userId, item: order }];
 * const answer = await orders.execute(({ signal }) => postOrder(order, signal), { entries });
 * setInterval(() => void orders.replay((group, { signal }) => postOrders(group.map(({ item }) => item as Order), signal)), 60_000);
 * ```
 */
export interface FallbackQueue<Item = unknown> {
  /**
   * Stores a group of entries, all or none, in order. When the promise is fulfilled, they are durable. When it is rejected, no caller may
   * rely on any of them. Only after a failure of the storage itself may an entry still be replayed, because nothing is known about it then.
   * @param entries At least one.
   * @throws QueueFullError or another error with the code `queue-full` when the group does not fit
   * @throws the signal's reason when it is aborted before the queue begins to store the group
   */
  put(entries: readonly QueueEntry<Item>[], options: { readonly signal: AbortSignal }): Promise<void>;
  /**
   * Makes one pass over the queue. It calls `run` with groups of entries of one key, in order, one group of a key at a time. It removes a
   * group after its `run` is fulfilled. After a rejected `run`, the whole group stays first of its key, and the later entries of that key
   * wait for the next pass. Other keys continue. The promise resolves at the end of the pass or soon after the signal aborts.
   * Delivery is at least once. A crash between `run` and the removal repeats the work. So does a group of which only a part failed.
   * @param run Gets at least one entry.
   */
  replay(
    run: (entries: readonly QueueEntry<Item>[], options: { readonly signal: AbortSignal }) => Promise<void>,
    options: { readonly signal: AbortSignal },
  ): Promise<ReplaySummary>;
  /** Number of entries in the queue. */
  size(): Promise<number>;
}

/** Answer for a call whose work was queued: the work is accepted but not done. */
export interface QueuedReceipt {
  readonly queued: true;
  /** Ids of the entries. */
  readonly ids: readonly string[];
}
