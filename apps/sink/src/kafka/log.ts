import type { KafkaRecord, UndecodableBatch } from '@millrace/kafka';

/** A record of the topic. */
export interface LogRecord extends KafkaRecord {
  /** Set for a record that could not be decoded and that an operator gave up. */
  readonly undecodable?: UndecodableOffset;
}

/** An offset of a batch that cannot be decoded. */
export interface UndecodableOffset {
  /** The offsets [from, to) of the batch. */
  readonly from: number;
  readonly to: number;
  /** Why the batch cannot be decoded. */
  readonly reason: string;
  /** SHA-256 of the batch, in hex. */
  readonly sha256: string;
  /** The bytes of the batch; on its first offset only. */
  readonly batch?: Buffer;
}

/** The answer to one fetch of one partition. */
export interface FetchedRecords {
  readonly partition: number;
  /** The requested offset. */
  readonly fetchedOffset: number;
  /** In ascending order of offset; the broker left no record out between `fetchedOffset` and `next`. */
  readonly records: readonly LogRecord[];
  /** The offset after the fetched range. Offsets before it without a record are transaction markers, or were aborted or compacted. */
  readonly next: number;
  /** The batch at `next`, where it cannot be decoded. */
  readonly undecodable?: UndecodableBatch;
}

/** The offsets that a partition holds, [low, high). */
export interface LogRange {
  readonly low: number;
  readonly high: number;
}

/**
 * The operations of a partition that a lane needs. Two adapters: kafkajs, and the simulated log. Only {@link range} can fail. While Kafka
 * is unavailable the other operations do nothing, and the lane repeats its seek and pause when the group is joined again.
 */
export interface PartitionLog {
  /** The offsets retained now. */
  range(signal: AbortSignal): Promise<LogRange>;
  /**
   * The next fetch starts at this offset. Takes effect at once; records fetched before are not delivered, or delivered with their old
   * `fetchedOffset`.
   */
  seek(offset: number): void;
  /** Fetch nothing more until {@link resume}; the group membership is kept. */
  pause(): void;
  resume(): void;
  /** Commits the landed offset of the lane to the group. For lag tools only: failures are ignored, and only the ledger counts. */
  commit(offset: number): void;
}
