import { setTimeout as delay } from 'node:timers/promises';
import type { SinkProcess } from '../process/sink-process.ts';

/** Polls several times a second how far the sinks of a group have taken each partition. Needs a steady stream of events for each. */
export class PartitionWatch {
  readonly #sinks: readonly SinkProcess[];
  readonly #takenTo = new Map<number, number>();
  readonly #movedAt = new Map<number, number>();
  readonly #stopping = new AbortController();
  readonly #watching: Promise<void>;
  #longestMs = 0;

  /** @param sinks the group; sinks may join it, and those that have ended are passed over */
  constructor(sinks: readonly SinkProcess[]) {
    this.#sinks = sinks;
    this.#watching = this.#watch();
  }

  /** The longest time for which no sink took anything of a partition. */
  get longestStallMs(): number {
    return this.#longestMs;
  }

  /** Partitions of which something was taken after `since`, by this process's clock. */
  movedSince(since: number): number[] {
    return [...this.#movedAt]
      .filter(([, at]) => at > since)
      .map(([partition]) => partition)
      .toSorted((a, b) => a - b);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#watching;
  }

  async #watch(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      await this.#look();
      await delay(100);
    }
  }

  async #look(): Promise<void> {
    const texts = await Promise.all(
      this.#sinks.map(async (sink) => (sink.alive ? String((await sink.get('/metrics').catch(() => ({ body: '' }))).body) : '')),
    );
    const now = Date.now();
    for (const [, partition, offset] of texts
      .join('\n')
      .matchAll(/millrace_sink_lane_offset\{(?=[^}]*stage="taken")[^}]*partition="(\d+)"[^}]*\} (\d+)/g))
      this.#moved(Number(partition), Number(offset), now);
  }

  #moved(partition: number, offset: number, now: number): void {
    if (offset <= (this.#takenTo.get(partition) ?? 0)) return;
    const before = this.#movedAt.get(partition);
    if (before !== undefined) this.#longestMs = Math.max(this.#longestMs, now - before);
    this.#takenTo.set(partition, offset);
    this.#movedAt.set(partition, now);
  }
}
