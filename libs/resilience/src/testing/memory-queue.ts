import { QueueFullError } from '../errors/errors.ts';
import type { FallbackQueue, QueueEntry, ReplaySummary } from '../fallback-queue/fallback-queue.ts';

/** Entries of a {@link MemoryQueue}. Adapters that simulate a restarted process share them. */
export interface StoredEntries {
  entries: QueueEntry[];
}

/** Simple implementation of {@link FallbackQueue} for conformance checks and simulations. It is not durable. */
export class MemoryQueue implements FallbackQueue {
  readonly #stored: StoredEntries;
  readonly #entriesMax: number;
  readonly #groupEntriesMax: number;

  /** @param groupEntriesMax Maximum number of entries that a replay runs at once. Default 2. */
  constructor(stored: StoredEntries, entriesMax: number, groupEntriesMax = 2) {
    this.#stored = stored;
    this.#entriesMax = entriesMax;
    this.#groupEntriesMax = groupEntriesMax;
  }

  put(entries: readonly QueueEntry[], { signal }: { readonly signal: AbortSignal }): Promise<void> {
    return new Promise((resolve) => {
      signal.throwIfAborted();
      if (this.#stored.entries.length + entries.length > this.#entriesMax) throw new QueueFullError(this.#entriesMax);
      this.#stored.entries.push(...structuredClone(entries));
      resolve();
    });
  }

  async replay(
    run: (entries: readonly QueueEntry[], options: { readonly signal: AbortSignal }) => Promise<void>,
    options: { readonly signal: AbortSignal },
  ): Promise<ReplaySummary> {
    const keys = [...new Set(this.#stored.entries.map(({ key }) => key))];
    const counts = await Promise.all(keys.map(async (key) => await this.#replayKey(key, run, options)));
    return { replayed: counts.reduce((sum, count) => sum + count, 0), kept: this.#stored.entries.length };
  }

  size(): Promise<number> {
    return Promise.resolve(this.#stored.entries.length);
  }

  async #replayKey(
    key: string,
    run: (entries: readonly QueueEntry[], options: { readonly signal: AbortSignal }) => Promise<void>,
    options: { readonly signal: AbortSignal },
  ): Promise<number> {
    let replayed = 0;
    for (;;) {
      const group = this.#stored.entries.filter((entry) => entry.key === key).slice(0, this.#groupEntriesMax);
      if (group.length === 0 || options.signal.aborted) return replayed;
      try {
        await run(group, options);
      } catch {
        return replayed;
      }
      this.#stored.entries = this.#stored.entries.filter((entry) => !group.includes(entry));
      replayed += group.length;
    }
  }
}
