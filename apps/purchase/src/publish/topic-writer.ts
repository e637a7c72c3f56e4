import type { EventMessage } from './event-message.ts';

/** Messages of one partition, in the order of their offsets. */
export interface PartitionBatch {
  readonly partition: number;
  readonly messages: readonly EventMessage[];
}

/**
 * Outcome of a {@link PartitionBatch}. Kafka writes a batch as a whole or not at all.
 *
 * - `written`: on every in-sync replica, from `baseOffset` on.
 * - `too-large`: refused for its size, and not written.
 * - `refused`: refused for its content, and not written. A repetition cannot succeed.
 * - `not-written`: certainly not written. The cause is temporary.
 * - `unknown`: Kafka may have written it, or may still write it.
 */
export type PartitionOutcome =
  | { readonly kind: 'written'; readonly baseOffset: bigint }
  | { readonly kind: 'too-large' | 'refused' | 'not-written' | 'unknown'; readonly cause: unknown };

/** Outcomes by partition. */
export type SendOutcome = ReadonlyMap<number, PartitionOutcome>;

/** Opens sessions that write to a topic. Adapters: Kafka, and a recording one for tests. */
export interface TopicWriter {
  /**
   * Opens a session with a new producer id.
   *
   * @throws when Kafka is unreachable, or the topic differs from the contract
   */
  open(signal: AbortSignal): Promise<WriterSession>;
}

/** Writes under one producer id, one send at a time. */
export interface WriterSession {
  /** Partitions that the topic had when the session was opened. */
  readonly partitions: number;
  /**
   * Asks Kafka how many partitions the topic has. Later sends may use new ones.
   *
   * @throws when Kafka does not answer
   */
  refresh(signal: AbortSignal): Promise<number>;
  /**
   * Sends at most one batch per partition and never rejects. Close the session after any outcome other than `written`: its producer does
   * not know which sequence number the broker expects next.
   */
  send(batches: readonly PartitionBatch[], signal: AbortSignal): Promise<SendOutcome>;
  /** Closes the session at once. An outstanding send ends as `unknown`. */
  close(): void;
}
