import type { ChainEnd, LedgerEntry } from '@millrace/lake';
import type { SealedBatch } from '../../spool/batch.ts';
import { isSinkError } from '../../errors.ts';
import type { LaneParts } from './lane-parts.ts';
import type { LogRecord } from '../../kafka/log.ts';
import { OpenBatch } from '../../batch/open-batch.ts';
import type { PartitionHolds } from './partition-holds.ts';

/** Why a batch was sealed. */
export type SealReason = 'bytes' | 'age' | 'pressure' | 'gap' | 'stop';

/** Callbacks of the intake to its lane. All are called inside the lane's turn. */
export interface IntakeHooks {
  /** Runs `run` when no other append or seal is in progress. */
  readonly inTurn: (run: () => Promise<void>) => void;
  readonly sealed: (batch: SealedBatch) => void;
  /** The open batch is lost: its range has to be read from Kafka again. */
  readonly broken: (error: Error) => void;
}

/** Where a batch begins. */
export interface IntakePlace {
  /** The offset that is appended next. */
  readonly position: number;
  /** The end of the chain that the batch extends. */
  readonly end: ChainEnd;
  /** The last record before that end. */
  readonly last: LedgerEntry['last'];
}

/**
 * Part of the usual bytes and age at which the first batch of a lane is sealed. All lanes of a process start and fill alike. With the same
 * first batch they would seal together, and the encoder would have nothing to do until then. Multiples of the golden ratio spread any
 * number of lanes evenly.
 */
export function firstShare(partition: number): number {
  return 1 - ((partition * 0.618_033_988_75) % 1);
}

/** The first half of a lane: appends fetched records to an open batch on disk, and seals that batch. */
export class LaneIntake {
  readonly #partition: number;
  readonly #parts: LaneParts;
  readonly #holds: PartitionHolds;
  readonly #hooks: IntakeHooks;
  #open: OpenBatch | undefined;
  #openedAt = 0;
  #flushTimer: unknown;
  #diskTimer: unknown;
  #diskFailures = 0;
  /** Set while the open batch is due to be sealed after the disk refused. */
  #sealDue = false;
  /** Why the open batch cannot be continued: for example, its files are missing. */
  #broken: Error | undefined;
  /** Part of the usual bytes and age at which the next batch is sealed. */
  #share: number;

  constructor(partition: number, parts: LaneParts, holds: PartitionHolds, hooks: IntakeHooks) {
    this.#partition = partition;
    this.#parts = parts;
    this.#holds = holds;
    this.#hooks = hooks;
    this.#share = firstShare(partition);
  }

  /** Raw bytes of the open batch. */
  get bytes(): number {
    return this.#open?.bytes ?? 0;
  }

  get segmentCount(): number {
    return this.#open?.segmentCount ?? 0;
  }

  /** When the oldest open record was taken, by the lane's clock. */
  get openedAt(): number | undefined {
    return this.bytes === 0 && this.#open?.next === this.#open?.from ? undefined : this.#openedAt;
  }

  /**
   * Appends records, opening a batch where none is open.
   *
   * @returns the offset after the last record; undefined when the disk refused the write, which is retried later
   */
  async append(records: readonly LogRecord[], place: IntakePlace): Promise<number | undefined> {
    const { steps, budget, settings, window } = this.#parts;
    const open = await this.#openWith(place, async (batch) => {
      const { bytes, segmentCount } = batch;
      await steps.take(batch, records, window);
      budget.add(batch.bytes - bytes);
      budget.opened(batch.segmentCount - segmentCount);
    });
    if (open === undefined) return undefined;
    const { next } = open;
    if (open.bytes >= settings.flushBytes * this.#share) await this.seal('bytes');
    return next;
  }

  /**
   * Passes offsets that hold no record, up to and without `next`. They land with the next batch, or at its age alone.
   *
   * @returns whether the disk accepted it; otherwise it is retried later
   */
  async pass(next: number, place: IntakePlace): Promise<boolean> {
    const open = await this.#openWith(place, (batch) => {
      batch.pass(next);
      this.#parts.window.passed(next);
    });
    return open !== undefined;
  }

  async #openWith({ position, end, last }: IntakePlace, run: (batch: OpenBatch) => Promise<void> | void): Promise<OpenBatch | undefined> {
    const { spool, clock, newId, settings } = this.#parts;
    try {
      this.#open ??= new OpenBatch(position, end.id, await spool.open(this.#partition, newId()), last);
      await run(this.#open);
    } catch (error) {
      this.#diskFailed('append', error as Error);
      return undefined;
    }
    this.#diskFailures = 0;
    if (this.#flushTimer === undefined) {
      this.#openedAt = clock.now();
      const ageMs = settings.flushAgeMs * this.#share;
      this.#flushTimer = clock.setTimeout(() => this.#hooks.inTurn(async () => await this.seal('age')), ageMs);
    }
    return this.#open;
  }

  /** Seals the open batch, if there is one with offsets. */
  async seal(reason: SealReason): Promise<void> {
    const open = this.#open;
    if (open === undefined || open.next === open.from) return;
    let batch: SealedBatch;
    try {
      batch = await open.seal(this.#openedAt);
    } catch (error) {
      this.#sealDue = true;
      this.#diskFailed('seal', error as Error);
      return;
    }
    this.#close();
    this.#share = 1;
    this.#diskFailures = 0;
    const { id, from, to, bytes } = batch;
    this.#parts.steps.parts.observe({
      type: 'BatchSealed',
      partition: this.#partition,
      id,
      from,
      to,
      bytes,
      files: batch.segments.length,
      reason,
    });
    this.#hooks.sealed(batch);
  }

  /** Drops the open batch; Kafka still has its events. */
  async discard(): Promise<void> {
    const open = this.#open;
    this.#close();
    this.#clearDiskTimer();
    this.#holds.remove('disk');
    if (open === undefined) return;
    this.#parts.budget.remove(open.bytes);
    await open.discard();
  }

  #close(): void {
    if (this.#flushTimer !== undefined) this.#parts.clock.clearTimeout(this.#flushTimer);
    this.#parts.budget.opened(-this.segmentCount);
    this.#flushTimer = undefined;
    this.#sealDue = false;
    this.#broken = undefined;
    this.#open = undefined;
  }

  #clearDiskTimer(): void {
    if (this.#diskTimer !== undefined) this.#parts.clock.clearTimeout(this.#diskTimer);
    this.#diskTimer = undefined;
  }

  // A full disk is an outage: the partition pauses, and the lane retries the same write later. Any other error may be permanent, because
  // files of the open batch may be missing. After the same pause the lane gives that batch up; Kafka still has its events.
  #diskFailed(step: 'append' | 'seal', error: Error): void {
    this.#parts.steps.parts.observe({ type: 'StepFailed', partition: this.#partition, step, attempt: this.#diskFailures, error });
    this.#diskFailures += 1;
    if (this.#open !== undefined && !isSinkError(error, 'disk-full')) this.#broken = error;
    this.#holds.add('disk');
    this.#clearDiskTimer();
    this.#diskTimer = this.#parts.clock.setTimeout(
      () =>
        this.#hooks.inTurn(async () => {
          if (this.#broken !== undefined) {
            this.#hooks.broken(this.#broken);
            return;
          }
          this.#holds.remove('disk');
          // The flush timer has fired already. A failed append since then must not cancel the seal.
          if (this.#sealDue) await this.seal('age');
        }),
      Math.min(30_000, 250 * 2 ** Math.min(this.#diskFailures, 10)),
    );
  }
}
