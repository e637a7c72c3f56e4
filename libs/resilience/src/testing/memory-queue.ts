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

  constructor(stored: StoredEntries, entriesMax: number) {
    this.#stored = stored;
    this.#entriesMax = entriesMax;
  }

  put(entry: QueueEntry, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    return new Promise((resolve) => {
      signal.throwIfAborted();
      if (!this.#stored.entries.some(({ id }) => id === entry.id)) {
        if (this.#stored.entries.length >= this.#entriesMax) throw new QueueFullError(this.#entriesMax);
        this.#stored.entries.push(structuredClone(entry));
      }
      resolve();
    });
  }

  async replay(
    run: (entry: QueueEntry, options: { readonly signal: AbortSignal }) => Promise<void>,
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
    run: (entry: QueueEntry, options: { readonly signal: AbortSignal }) => Promise<void>,
    options: { readonly signal: AbortSignal },
  ): Promise<number> {
    let replayed = 0;
    for (;;) {
      const first = this.#stored.entries.find((entry) => entry.key === key);
      if (first === undefined || options.signal.aborted) return replayed;
      try {
        await run(first, options);
      } catch {
        return replayed;
      }
      this.#stored.entries = this.#stored.entries.filter(({ id }) => id !== first.id);
      replayed += 1;
    }
  }
}
