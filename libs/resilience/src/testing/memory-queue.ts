import { QueueFullError } from '../errors/errors.ts';
import type { FallbackQueue, QueueEntry, ReplaySummary } from '../fallback-queue/fallback-queue.ts';

/** What a {@link MemoryQueue} keeps; shared by adapters that stand for one process after another. */
export interface StoredEntries {
  entries: QueueEntry[];
}

/** The plainest queue that keeps the port's promises: what the conformance checks and simulations are tried on. It is not durable. */
export class MemoryQueue implements FallbackQueue {
  constructor(
    private readonly stored: StoredEntries,
    private readonly entriesMax: number,
  ) {}

  put(entry: QueueEntry, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    return new Promise((resolve) => {
      signal.throwIfAborted();
      if (!this.stored.entries.some(({ id }) => id === entry.id)) {
        if (this.stored.entries.length >= this.entriesMax) throw new QueueFullError(this.entriesMax);
        this.stored.entries.push(structuredClone(entry));
      }
      resolve();
    });
  }

  async replay(run: (entry: QueueEntry, options: { readonly signal: AbortSignal }) => Promise<void>, options: { readonly signal: AbortSignal }): Promise<ReplaySummary> {
    const keys = [...new Set(this.stored.entries.map(({ key }) => key))];
    const counts = await Promise.all(keys.map(async (key) => await this.replayKey(key, run, options)));
    return { replayed: counts.reduce((sum, count) => sum + count, 0), kept: this.stored.entries.length };
  }

  size(): Promise<number> {
    return Promise.resolve(this.stored.entries.length);
  }

  private async replayKey(key: string, run: (entry: QueueEntry, options: { readonly signal: AbortSignal }) => Promise<void>, options: { readonly signal: AbortSignal }): Promise<number> {
    let replayed = 0;
    for (;;) {
      const first = this.stored.entries.find((entry) => entry.key === key);
      if (first === undefined || options.signal.aborted) return replayed;
      try {
        await run(first, options);
      } catch {
        return replayed;
      }
      this.stored.entries = this.stored.entries.filter(({ id }) => id !== first.id);
      replayed += 1;
    }
  }
}
