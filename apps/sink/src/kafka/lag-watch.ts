import type { Clock } from '@millrace/resilience';

/** The taken and the landed offset of a lane. */
export interface LaneOffsets {
  /** The offset that the lane takes next. */
  readonly taken: number;
  /** The offset after the last landed one. */
  readonly landed: number;
}

/** The waiting records of one partition. */
export interface PartitionLag extends LaneOffsets {
  readonly partition: number;
  /** The offset that the partition's next record gets, by Kafka's last answer. */
  readonly end: number;
  /** Milliseconds for which records have waited and none was taken; 0 while none waits. */
  readonly stalledMs: number;
}

/** Dependencies of a {@link LagWatch}. */
export interface LagWatchParts {
  /** Asks Kafka for the end offset of each partition of the topic. */
  readonly ends: () => Promise<ReadonlyMap<number, number>>;
  /** Asks Kafka for the offsets that the group committed; a partition without one is missing. */
  readonly committed: () => Promise<ReadonlyMap<number, number>>;
  /** The partitions that this process holds or held last; undefined for a lane that does not know its position yet. */
  readonly lanes: () => ReadonlyMap<number, LaneOffsets | undefined>;
  /** Whether the process is a member of the group. */
  readonly joined: () => boolean;
  readonly clock: Clock;
  /** Interval between two requests, in milliseconds. */
  readonly everyMs: number;
  /** Called when Kafka did not answer. */
  readonly onFailure: (error: unknown) => void;
}

interface Seen {
  readonly taken: number;
  /** When the partition was last seen to move, or to have nothing that waits. */
  readonly sinceMs: number;
}

/**
 * Tracks how many records wait in the partitions of this process. An admin client asks for the ends, so that they are known while the
 * consumer fetches nothing. A process that is out of the group and holds no lane watches the whole topic by the offsets that the group
 * committed.
 */
export class LagWatch {
  readonly #parts: LagWatchParts;
  #ends: ReadonlyMap<number, number> = new Map();
  #committed: ReadonlyMap<number, number> = new Map();
  #seen = new Map<number, Seen>();
  #timer: unknown;
  #stopped = false;

  constructor(parts: LagWatchParts) {
    this.#parts = parts;
  }

  /** Asks Kafka at once, and then at the interval. */
  start(): void {
    void this.#round();
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== undefined) this.#parts.clock.clearTimeout(this.#timer);
  }

  /** Every watched partition whose end is known. */
  get all(): readonly PartitionLag[] {
    const now = this.#parts.clock.now();
    return this.#positions().map(({ partition, end, taken, landed }) => {
      const seen = this.#seen.get(partition);
      const stands = seen?.taken === taken && end > taken;
      return { partition, end, taken, landed, stalledMs: stands ? now - seen.sinceMs : 0 };
    });
  }

  async #round(): Promise<void> {
    try {
      await this.#ask();
    } catch (error) {
      this.#parts.onFailure(error);
    }
    if (!this.#stopped) this.#timer = this.#parts.clock.setTimeout(() => void this.#round(), this.#parts.everyMs);
  }

  async #ask(): Promise<void> {
    const ends = await this.#parts.ends();
    const lanes = this.#parts.lanes();
    const needsCommitted = lanes.size === 0 ? !this.#parts.joined() : [...lanes.values()].includes(undefined);
    if (needsCommitted) this.#committed = await this.#parts.committed();
    this.#ends = ends;
    this.#look();
  }

  #look(): void {
    const now = this.#parts.clock.now();
    this.#seen = new Map(
      this.#positions().map(({ partition, end, taken }) => {
        const before = this.#seen.get(partition);
        return [partition, before?.taken === taken && end > taken ? before : { taken, sinceMs: now }];
      }),
    );
  }

  #positions(): readonly Omit<PartitionLag, 'stalledMs'>[] {
    const lanes = this.#parts.lanes();
    const watched = lanes.size === 0 && !this.#parts.joined() ? [...this.#ends.keys()] : [...lanes.keys()];
    return watched.flatMap((partition) => {
      const end = this.#ends.get(partition);
      if (end === undefined) return [];
      const committed = this.#committed.get(partition) ?? 0;
      return [{ partition, end, ...(lanes.get(partition) ?? { taken: committed, landed: committed }) }];
    });
  }
}
