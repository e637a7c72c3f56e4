import type { FallbackQueue, QueueEntry, ReplaySummary } from '@millrace/resilience';
import type { OutboxLog } from './outbox-log.ts';
import type { PlacedRecord } from './segment.ts';

/** Turns entries into bytes and back. */
export interface EntryCodec<Item> {
  encode(entry: QueueEntry<Item>): Buffer;
  decode(bytes: Buffer): QueueEntry<Item>;
}

type Run<Item> = (entries: readonly QueueEntry<Item>[], options: { readonly signal: AbortSignal }) => Promise<void>;

interface PlacedEntry<Item> {
  readonly entry: QueueEntry<Item>;
  readonly start: number;
  readonly end: number;
}

/**
 * The `queue` fallback on an {@link OutboxLog}. The log has one read pointer. A pass in which only some keys make progress keeps their
 * positions in memory: after a crash their entries are replayed again. So the memory grows with the keys, not with the entries.
 */
export class OutboxQueue<Item> implements FallbackQueue<Item> {
  readonly #log: OutboxLog;
  readonly #codec: EntryCodec<Item>;
  readonly #groupEntriesMax: number;
  /** Entries that are not replayed, by key: those that are being written included. */
  readonly #waiting: Map<string, number>;
  /** Positions up to which the entries of a key are replayed, where that is beyond the pointer. */
  readonly #replayedTo = new Map<string, number>();
  /** Keys of which a group was replayed, and none failed since. */
  readonly #progressing = new Set<string>();
  /** Called when the last entry of a key is replayed, or a group of it fails. */
  readonly #settled = new Map<string, (() => void)[]>();
  /** Why groups could not be put. */
  readonly #failures = new WeakMap<readonly QueueEntry[], unknown>();
  #isReplaying = false;
  #onStored: () => void = () => undefined;

  private constructor(log: OutboxLog, codec: EntryCodec<Item>, groupEntriesMax: number, waiting: Map<string, number>) {
    this.#log = log;
    this.#codec = codec;
    this.#groupEntriesMax = groupEntriesMax;
    this.#waiting = waiting;
  }

  /**
   * Counts the entries of the log.
   *
   * @param groupEntriesMax Maximum number of entries that a replay runs at once, ≥ 1.
   * @throws OutboxError `damaged` when an entry cannot be read
   */
  static async open<Item>(log: OutboxLog, codec: EntryCodec<Item>, groupEntriesMax: number): Promise<OutboxQueue<Item>> {
    const waiting = new Map<string, number>();
    for (let records = await log.read(log.cursor); records.length > 0; records = await log.read(records.at(-1)!.end)) {
      for (const { payload } of records) add(waiting, codec.decode(payload).key, 1);
    }
    return new OutboxQueue(log, codec, groupEntriesMax, waiting);
  }

  /** Whether entries of a key wait. New work of that key must queue behind them. */
  isWaiting(key: string): boolean {
    return this.#waiting.has(key);
  }

  /** Whether a replay is about to end the backlog of a key: it makes progress, and the rest fits into one group. */
  isAlmostReplayed(key: string): boolean {
    return this.#progressing.has(key) && (this.#waiting.get(key) ?? 0) <= this.#groupEntriesMax;
  }

  /** Resolves when no entry of a key waits, or when a group of it fails. It may not resolve while no replay runs: limit the wait. */
  async untilReplayed(key: string): Promise<void> {
    if (!this.isWaiting(key)) return;
    await new Promise<void>((resolve) => {
      const listeners = this.#settled.get(key);
      if (listeners === undefined) this.#settled.set(key, [resolve]);
      else listeners.push(resolve);
    });
  }

  /** Whether a replay would find entries: durable ones that are not replayed. */
  get canReplay(): boolean {
    return this.#log.end > this.#log.cursor;
  }

  /** Sets the listener that is called when entries are durable. */
  onStored(listener: () => void): void {
    this.#onStored = listener;
  }

  /** Whether any entry waits. */
  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  /** Number of entries that wait. */
  get entries(): number {
    return [...this.#waiting.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Adds the keys at once, and not when the entries are durable: an event that arrives in between queues behind them. */
  async put(entries: readonly QueueEntry<Item>[], { signal }: { readonly signal: AbortSignal }): Promise<void> {
    signal.throwIfAborted();
    for (const { key } of entries) add(this.#waiting, key, 1);
    try {
      await this.#log.append(entries.map((entry) => this.#codec.encode(entry)));
    } catch (error) {
      for (const { key } of entries) add(this.#waiting, key, -1);
      this.#failures.set(entries, error);
      throw error;
    }
    this.#onStored();
  }

  /** Why a group could not be put; undefined when it was put, or is being put. The pipeline itself reports the error of the work. */
  failureOf(entries: readonly QueueEntry[]): unknown {
    return this.#failures.get(entries);
  }

  /**
   * Returns whether an entry with the id waits. Reads the log from its pointer on.
   *
   * @throws the signal's reason once it aborts, and `damaged` when a durable entry cannot be read
   */
  async holds(id: string, { signal }: { readonly signal: AbortSignal }): Promise<boolean> {
    const bytes = Buffer.from(id);
    for (let at = this.#log.cursor; at < this.#log.end;) {
      signal.throwIfAborted();
      const records = await this.#log.read(at);
      for (const { payload, start } of records) {
        // Decoding every entry would take longer than reading the log.
        if (!payload.includes(bytes)) continue;
        const entry = this.#codec.decode(payload);
        if (entry.id === id && start >= (this.#replayedTo.get(entry.key) ?? 0)) return true;
      }
      // No records: a replay has removed them meanwhile, and the pointer is behind them.
      const next = records.at(-1)?.end ?? this.#log.cursor;
      if (next <= at) return false;
      at = next;
    }
    return false;
  }

  async replay(run: Run<Item>, { signal }: { readonly signal: AbortSignal }): Promise<ReplaySummary> {
    if (this.#isReplaying) throw new TypeError('Only one replay of a queue may run.');
    this.#isReplaying = true;
    try {
      return { replayed: await this.#pass(run, signal), kept: this.entries };
    } finally {
      this.#isReplaying = false;
    }
  }

  async size(): Promise<number> {
    return await Promise.resolve(this.entries);
  }

  async #pass(run: Run<Item>, signal: AbortSignal): Promise<number> {
    const stopped = new Set<string>();
    let replayed = 0;
    // The first entry that is not replayed; the pointer stays there.
    let keepFrom: number | undefined;
    const end = this.#log.end;
    for (let at = this.#log.cursor; at < end && !signal.aborted && this.#canProgress(stopped);) {
      const records = await this.#log.read(at);
      const groups = this.#groupsOf(records);
      const results = await Promise.all([...groups].map(async ([key, entries]) => await this.#runKey(key, entries, stopped, run, signal)));
      replayed += results.reduce((sum, count) => sum + count, 0);
      keepFrom ??= this.#firstNotReplayed(groups);
      at = records.at(-1)!.end;
      await this.#log.removeBefore(keepFrom ?? at);
    }
    for (const [key, position] of this.#replayedTo) if (position <= this.#log.cursor) this.#replayedTo.delete(key);
    return replayed;
  }

  #groupsOf(records: readonly PlacedRecord[]): Map<string, PlacedEntry<Item>[]> {
    const groups = new Map<string, PlacedEntry<Item>[]>();
    for (const { start, end, payload } of records) {
      const entry = this.#codec.decode(payload);
      if (start < (this.#replayedTo.get(entry.key) ?? 0)) continue;
      const group = groups.get(entry.key);
      if (group === undefined) groups.set(entry.key, [{ entry, start, end }]);
      else group.push({ entry, start, end });
    }
    return groups;
  }

  /** @returns how many entries are replayed */
  async #runKey(
    key: string,
    entries: readonly PlacedEntry<Item>[],
    stopped: Set<string>,
    run: Run<Item>,
    signal: AbortSignal,
  ): Promise<number> {
    for (let from = 0; from < entries.length; from += this.#groupEntriesMax) {
      if (stopped.has(key) || signal.aborted) return from;
      const group = entries.slice(from, from + this.#groupEntriesMax);
      try {
        await run(
          group.map(({ entry }) => entry),
          { signal },
        );
      } catch {
        // The pipeline has reported the error.
        stopped.add(key);
        this.#progressing.delete(key);
        this.#settle(key);
        return from;
      }
      this.#replayedTo.set(key, group.at(-1)!.end);
      add(this.#waiting, key, -group.length);
      this.#progressing.add(key);
      if (this.isWaiting(key)) continue;
      this.#progressing.delete(key);
      this.#settle(key);
    }
    return entries.length;
  }

  #settle(key: string): void {
    const listeners = this.#settled.get(key) ?? [];
    this.#settled.delete(key);
    for (const resolve of listeners) resolve();
  }

  #firstNotReplayed(groups: ReadonlyMap<string, readonly PlacedEntry<Item>[]>): number | undefined {
    const starts = [...groups].flatMap(
      ([key, entries]) => entries.find(({ start }) => start >= (this.#replayedTo.get(key) ?? 0))?.start ?? [],
    );
    return starts.length === 0 ? undefined : Math.min(...starts);
  }

  /** While Kafka is down, every key stops in the first chunk; the rest of the log need not be read then. */
  #canProgress(stopped: ReadonlySet<string>): boolean {
    return [...this.#waiting.keys()].some((key) => !stopped.has(key));
  }
}

function add(counts: Map<string, number>, key: string, change: number): void {
  const count = (counts.get(key) ?? 0) + change;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}
