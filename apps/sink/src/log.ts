/** A record of the topic. */
export interface LogRecord {
  readonly offset: number;
  /** Milliseconds since the epoch, as Kafka stores it. */
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer>>;
}

/** The answer to one fetch of one partition. */
export interface FetchedRecords {
  readonly partition: number;
  /** The offset that was asked for. */
  readonly fetchedOffset: number;
  /** In ascending order of offset; the broker left no record out between `fetchedOffset` and the last of them. */
  readonly records: readonly LogRecord[];
}

/** The offsets that a partition holds, [low, high). */
export interface LogRange {
  readonly low: number;
  readonly high: number;
}

/**
 * What a lane needs of its partition. Two adapters: kafkajs, and the simulated log. Only {@link range} can fail: while Kafka is away the
 * others do nothing, and the lane says again where it stands when the group is joined again.
 */
export interface PartitionLog {
  /** The offsets retained now. */
  range(signal: AbortSignal): Promise<LogRange>;
  /** The next fetch starts at this offset. Takes effect at once; records fetched before are not delivered, or delivered with their old `fetchedOffset`. */
  seek(offset: number): void;
  /** Fetch nothing more until {@link resume}; the group membership is kept. */
  pause(): void;
  resume(): void;
  /** Tells the group how far the lane has landed. For lag tools only: failures are ignored, and the ledger alone is believed. */
  commit(offset: number): void;
}
