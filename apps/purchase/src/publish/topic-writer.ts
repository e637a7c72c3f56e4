import type { EventMessage } from './event-message.ts';

/** Messages of one partition, in the order in which they are to stand in it. */
export interface PartitionBatch {
  readonly partition: number;
  readonly messages: readonly EventMessage[];
}

/**
 * What became of a {@link PartitionBatch}; a batch is written whole or not at all.
 *
 * - `written`: on every in-sync replica, from `baseOffset` on.
 * - `too-large`: refused for its size, and not written.
 * - `refused`: refused for what it holds, and not written; sending it again is in vain.
 * - `not-written`: certainly not written, for a reason that may pass.
 * - `unknown`: it may have been written, or be written yet.
 */
export type PartitionOutcome =
  | { readonly kind: 'written'; readonly baseOffset: bigint }
  | { readonly kind: 'too-large' | 'refused' | 'not-written' | 'unknown'; readonly cause: unknown };

/** Outcomes by partition. */
export type SendOutcome = ReadonlyMap<number, PartitionOutcome>;

/** A way to write to the topic. Two adapters: Kafka, and a recording one in tests. */
export interface TopicWriter {
  /**
   * Opens a session under a producer id of its own.
   *
   * @throws when Kafka cannot be reached, or the topic is not as the contract says
   */
  open(signal: AbortSignal): Promise<WriterSession>;
}

/** Writes under one producer id, one send at a time. */
export interface WriterSession {
  /**
   * Sends at most one batch per partition and never rejects. After any outcome other than `written` the session must be closed: a
   * producer whose last send failed cannot know which sequence number the broker expects next.
   */
  send(batches: readonly PartitionBatch[], signal: AbortSignal): Promise<SendOutcome>;
  /** Gives the session up at once; a send that is outstanding ends as `unknown`. */
  close(): void;
}
