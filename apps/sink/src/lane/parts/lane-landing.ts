import type { LedgerEntry } from '@millrace/lake';
import type { EncodedBatch, SealedBatch } from '../../spool/batch.ts';
import { isSinkError } from '../../errors.ts';
import type { LaneParts } from './lane-parts.ts';

/** Work that waits for the ledger, in order. */
type Pending =
  | {
      readonly kind: 'batch';
      readonly encoded: Promise<EncodedBatch>;
      readonly files: SealedBatch['files'];
      readonly rawBytes: number;
      readonly takenAt: number;
    }
  | { readonly kind: 'gap'; readonly entry: LedgerEntry };

/** How a life of a lane can end. Each is called once, and nothing is landed afterwards. */
export interface LandingHooks {
  /** Another writer recorded our offset first. */
  readonly lost: (winner: LedgerEntry) => void;
  /** The spool is corrupt: the range has to be read from Kafka again. */
  readonly corrupt: (error: Error) => void;
  /** An operator must act. */
  readonly refused: (error: Error) => void;
}

/**
 * The second half of a lane: encodes sealed batches at once and lands them in order, during one life of the lane. While S3 is down every
 * batch waits here, on disk.
 */
export class LaneLanding {
  readonly #partition: number;
  readonly #parts: LaneParts;
  readonly #life: AbortSignal;
  readonly #hooks: LandingHooks;
  readonly #queue: Pending[] = [];
  #head: LedgerEntry | undefined;
  #working: Promise<void> | undefined;

  /** @param head the newest entry; it has landed */
  constructor(partition: number, parts: LaneParts, head: LedgerEntry | undefined, life: AbortSignal, hooks: LandingHooks) {
    this.#partition = partition;
    this.#parts = parts;
    this.#head = head;
    this.#life = life;
    this.#hooks = hooks;
  }

  /** The offset after the last landed one. */
  get landed(): number {
    return this.#head?.to ?? 0;
  }

  /** The newest entry that has landed. */
  get head(): LedgerEntry | undefined {
    return this.#head;
  }

  get length(): number {
    return this.#queue.length;
  }

  /** When the oldest record that waits was taken, by the lane's clock. */
  get oldestAt(): number | undefined {
    return this.#queue.find((pending) => pending.kind === 'batch')?.takenAt;
  }

  /** Resolves when nothing waits, or this life has ended. */
  get idle(): Promise<void> {
    return this.#working ?? Promise.resolve();
  }

  /** Takes a batch that was just sealed. Once encoded, it takes the size of its Parquet on disk, an eighth of its lines. */
  sealed(batch: SealedBatch): void {
    const { budget, steps } = this.#parts;
    const encoded = steps.encode(batch, this.#life).then((done) => {
      budget.exchange(batch.bytes, done.bytes);
      return done;
    });
    encoded.catch(() => undefined);
    this.#push({ kind: 'batch', encoded, files: batch.files, rawBytes: batch.bytes, takenAt: batch.takenAt });
  }

  /** Adopts an orphaned batch. */
  adopted(batch: EncodedBatch): void {
    this.#parts.orphans.handOver(batch);
    this.#push({ kind: 'batch', encoded: Promise.resolve(batch), files: batch.files, rawBytes: 0, takenAt: batch.takenAt });
  }

  gap(entry: LedgerEntry): void {
    this.#push({ kind: 'gap', entry });
  }

  /**
   * Empties the queue, once this life is over: encoded batches become orphans when they may still be good, everything else is
   * discarded.
   */
  async abandon(keep: boolean): Promise<void> {
    for (const pending of this.#queue.splice(0)) {
      if (pending.kind === 'gap') continue;
      const encoded = await pending.encoded.catch(() => undefined);
      if (encoded !== undefined && keep) {
        this.#parts.orphans.put(this.#partition, [encoded]);
        continue;
      }
      this.#parts.budget.remove(encoded?.bytes ?? pending.rawBytes);
      await pending.files.discard();
    }
  }

  #push(pending: Pending): void {
    this.#queue.push(pending);
    this.#work();
  }

  #work(): void {
    if (this.#working !== undefined || this.#queue.length === 0 || this.#life.aborted) return;
    this.#working = this.#land().finally(() => {
      this.#working = undefined;
      // A batch may have been queued after the loop's last check.
      this.#work();
    });
  }

  async #land(): Promise<void> {
    try {
      for (let next = this.#queue[0]; next !== undefined && !this.#life.aborted; next = this.#queue[0]) {
        const outcome =
          next.kind === 'gap'
            ? await this.#parts.steps.record(next.entry, this.#head, this.#life)
            : await this.#parts.steps.deliver(await next.encoded, this.#head, this.#life);
        if (this.#life.aborted) return;
        if (outcome.outcome === 'lost') {
          this.#hooks.lost(outcome.winner);
          return;
        }
        await this.#landed(next);
      }
    } catch (error) {
      if (!this.#life.aborted) await this.#failed(error as Error);
    }
  }

  async #landed(pending: Pending): Promise<void> {
    const { steps, budget, clock } = this.#parts;
    const partition = this.#partition;
    this.#queue.shift();
    const entry = pending.kind === 'gap' ? pending.entry : (await pending.encoded).entry;
    this.#head = entry;
    steps.parts.checkpoints.landed(this.#life);
    steps.parts.snapshots.landed(this.#parts.window, entry, this.#life);
    if (pending.kind === 'gap') {
      steps.parts.observe({ type: 'GapRecorded', partition, from: entry.from, to: entry.to });
      return;
    }
    budget.remove((await pending.encoded).bytes);
    await pending.files.discard();
    steps.parts.observe({
      type: 'BatchLanded',
      partition,
      id: entry.id,
      from: entry.from,
      to: entry.to,
      rows: entry.files.reduce((sum, { rows }) => sum + rows, 0),
      rejected: entry.rejects?.count ?? 0,
      bytes: entry.files.reduce((sum, file) => sum + file.bytes, 0),
      ageMs: clock.now() - pending.takenAt,
    });
  }

  async #failed(error: Error): Promise<void> {
    if (!isSinkError(error, 'spool-corrupt')) {
      this.#hooks.refused(error);
      return;
    }
    const [pending] = this.#queue;
    if (pending?.kind === 'batch') await pending.files.setAside();
    this.#hooks.corrupt(error);
  }
}
