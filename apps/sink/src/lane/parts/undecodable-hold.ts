import type { UndecodableBatch } from '@millrace/kafka';
import type { SkipPermission } from '@millrace/lake';
import type { LaneParts } from './lane-parts.ts';
import type { PartitionHolds } from './partition-holds.ts';
import { undecodableText } from '../../batch/records/undecodable-records.ts';

// A later fetch may succeed, and an operator's permission shows within this time.
const lookAgainMs = 10_000;

/** The batch that a lane waits before. */
export interface HeldBatch {
  readonly from: number;
  /** The offset after the batch; undefined if it is unknown. */
  readonly to: number | undefined;
  readonly reason: string;
  readonly sha256: string;
  /** Names offsets and reason. */
  readonly text: string;
}

/**
 * Pauses a partition before a batch that cannot be decoded. The batch is fetched again every ten seconds, and the operator's permission
 * to go past it is looked for as often. Neither happens in the lane's turn, so that an S3 that does not answer stops nothing else.
 */
export class UndecodableHold {
  readonly #partition: number;
  readonly #parts: LaneParts;
  readonly #holds: PartitionHolds;
  #held: HeldBatch | undefined;
  #permission: SkipPermission | undefined;
  #timer: unknown;

  constructor(partition: number, parts: LaneParts, holds: PartitionHolds) {
    this.#partition = partition;
    this.#parts = parts;
    this.#holds = holds;
  }

  /** Stays set while the batch is fetched again. */
  get held(): HeldBatch | undefined {
    return this.#held;
  }

  /** Whether an operator has permitted to go past this batch: the same offsets, and the same bytes. */
  allows({ from, to, sha256 }: UndecodableBatch): boolean {
    const permission = this.#permission;
    return permission !== undefined && permission.from === from && permission.to === to && permission.sha256 === sha256;
  }

  /** Pauses the partition until the batch is to be fetched again. */
  add(batch: UndecodableBatch, life: AbortSignal): void {
    const { from, to, reason, sha256 } = batch;
    const known = this.#held?.from === from && this.#held.sha256 === sha256;
    this.#held = { from, to, reason, sha256, text: undecodableText(batch) };
    this.#holds.add('undecodable');
    if (known) {
      this.#lookLater(life);
      return;
    }
    this.#parts.steps.parts.observe({ type: 'BatchUndecodable', partition: this.#partition, from, to, reason });
    void this.#lookNow(life);
  }

  /** Offsets up to and without `next` were taken. */
  passed(next: number): void {
    if (this.#held !== undefined && next >= (this.#held.to ?? this.#held.from + 1)) this.clear();
  }

  /** Forgets the batch. */
  clear(): void {
    this.#clearTimer();
    this.#held = undefined;
    this.#permission = undefined;
    this.#holds.remove('undecodable');
  }

  #lookLater(life: AbortSignal): void {
    this.#clearTimer();
    this.#timer = this.#parts.clock.setTimeout(() => {
      void this.#fetchAgain(life);
    }, lookAgainMs);
  }

  async #lookNow(life: AbortSignal): Promise<void> {
    if (await this.#look(life)) this.#holds.remove('undecodable');
    else if (!life.aborted) this.#lookLater(life);
  }

  async #fetchAgain(life: AbortSignal): Promise<void> {
    await this.#look(life);
    if (!life.aborted) this.#holds.remove('undecodable');
  }

  #clearTimer(): void {
    if (this.#timer !== undefined) this.#parts.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async #look(life: AbortSignal): Promise<boolean> {
    const held = this.#held;
    if (held === undefined || held.to === undefined) return false;
    try {
      this.#permission = await this.#parts.steps.skipPermission(held.from, life);
    } catch (error) {
      if (!life.aborted)
        this.#parts.steps.parts.observe({
          type: 'StepFailed',
          partition: this.#partition,
          step: 'look for a permission',
          attempt: 0,
          error: error as Error,
        });
      return false;
    }
    return this.#permission !== undefined && !life.aborted;
  }
}
