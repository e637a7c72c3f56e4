import type { PartitionLog } from '../../kafka/log.ts';
import type { SinkObserver } from '../../sink-events.ts';

/** Why a lane's partition is paused. */
export type HoldReason =
  /** The head is being found and landed. */
  | 'starting'
  /** The spool is full; Kafka is the queue. */
  | 'pressure'
  /** The disk refuses writes. */
  | 'disk'
  /** The next batch cannot be decoded. */
  | 'undecodable'
  | 'stopping'
  | 'refused';

/** Pauses a partition while it has at least one hold reason; the consumer stays in the group. */
export class PartitionHolds {
  readonly #partition: number;
  readonly #log: PartitionLog;
  readonly #observe: SinkObserver;
  readonly #reasons = new Set<HoldReason>();
  #closed = false;

  constructor(partition: number, log: PartitionLog, observe: SinkObserver) {
    this.#partition = partition;
    this.#log = log;
    this.#observe = observe;
  }

  get reasons(): readonly HoldReason[] {
    return [...this.#reasons];
  }

  add(reason: HoldReason): void {
    if (this.#closed) return;
    const first = this.#reasons.size === 0;
    this.#reasons.add(reason);
    if (!first) return;
    this.#log.pause();
    this.#observe({ type: 'PartitionPaused', partition: this.#partition, reason });
  }

  remove(reason: HoldReason): void {
    if (!this.#reasons.delete(reason) || this.#reasons.size > 0 || this.#closed) return;
    this.#log.resume();
    this.#observe({ type: 'PartitionResumed', partition: this.#partition });
  }

  /** Pauses or resumes again after a rejoin, because kafkajs has forgotten its paused partitions. */
  reapply(): void {
    if (this.#reasons.size > 0) this.#log.pause();
    else this.#log.resume();
  }

  /** Never pauses or resumes the partition again: another lane has it, in this process or elsewhere. */
  close(): void {
    this.#closed = true;
  }
}
