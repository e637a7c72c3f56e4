import type { ChainEnd } from '@millrace/lake';
import type { EncodedBatch } from './batch.ts';
import { isSinkError } from '../errors.ts';
import type { SinkObserver } from '../sink-events.ts';
import type { SpoolBudget } from './budget/spool-budget.ts';
import { readSpooled } from './spool-manifest.ts';
import type { BatchFiles, Spool } from './spool.ts';

/** The orphaned batches that a lane finds. */
export interface FoundOrphans {
  /** The head itself, if it is still on disk: a copy that survives the loss of its staged files. */
  readonly head: EncodedBatch | undefined;
  /** Batches that extend the head, in order. */
  readonly next: readonly EncodedBatch[];
}

/**
 * Encoded batches on disk that no lane holds, after a crash or a revoked partition. A starting lane takes those that still extend its head.
 * Every other one is discarded, because Kafka has the events.
 */
export class OrphanedBatches {
  readonly #budget: SpoolBudget;
  readonly #observe: SinkObserver;
  readonly #batches = new Map<number, EncodedBatch[]>();
  /** All batches that no lane holds: the available ones, and those lent to a caller that may put them back. */
  readonly #all = new Set<EncodedBatch>();

  constructor(budget: SpoolBudget, observe: SinkObserver) {
    this.#budget = budget;
    this.#observe = observe;
  }

  /** Adds the batches of dead incarnations. Sets corrupt ones aside; their range is read from Kafka again. */
  async fill(spool: Spool): Promise<void> {
    for (const { partition, files } of await spool.left()) {
      const batch = await this.#read(partition, files);
      if (batch === undefined) continue;
      this.#budget.add(batch.bytes);
      this.put(partition, [batch]);
    }
  }

  /** How many batches no lane holds. */
  get count(): number {
    return this.#all.size;
  }

  /** When the oldest record of those was taken, in milliseconds since the epoch. */
  get oldestAt(): number | undefined {
    return this.#all.size === 0 ? undefined : Math.min(...[...this.#all].map(({ takenAt }) => takenAt));
  }

  /** Adds batches whose bytes the budget already counts. */
  put(partition: number, batches: readonly EncodedBatch[]): void {
    for (const batch of batches) this.#all.add(batch);
    const all = [...(this.#batches.get(partition) ?? []), ...batches];
    if (all.length > 0)
      this.#batches.set(
        partition,
        all.toSorted((a, b) => a.entry.from - b.entry.from),
      );
  }

  /**
   * Takes a partition's batches down: those that fit its head go to the caller, the others are discarded. They count as orphans until
   * {@link handOver}.
   */
  async take(partition: number, end: ChainEnd): Promise<FoundOrphans> {
    const batches = this.#batches.get(partition) ?? [];
    this.#batches.delete(partition);
    const head = batches.find(({ entry }) => entry.id === end.id);
    const next: EncodedBatch[] = [];
    let reached = end;
    for (const batch of batches) {
      if (batch === head || !this.fits(reached, batch)) continue;
      next.push(batch);
      reached = { to: batch.entry.to, id: batch.entry.id };
    }
    for (const batch of batches) if (batch !== head && !next.includes(batch)) await this.discard(batch);
    if (next.length > 0)
      this.#observe({ type: 'SpoolAdopted', partition, batches: next.length, from: next[0]!.entry.from, to: reached.to });
    return { head, next };
  }

  /** A lane holds the batch from now on. */
  handOver(batch: EncodedBatch): void {
    this.#all.delete(batch);
  }

  /** The partitions with at least one orphan here. */
  get partitions(): readonly number[] {
    return [...this.#batches.keys()];
  }

  /**
   * Hands out a partition's oldest batch, and discards it when that says that it is not needed any more; otherwise, or when that throws,
   * it comes back. True when it is gone.
   */
  async lendOldest(partition: number, use: (batch: EncodedBatch) => Promise<boolean>): Promise<boolean> {
    const batches = this.#batches.get(partition) ?? [];
    const oldest = batches.shift();
    if (batches.length === 0) this.#batches.delete(partition);
    if (oldest === undefined) return false;
    try {
      if (await use(oldest)) {
        await this.discard(oldest);
        return true;
      }
    } catch (error) {
      if (isSinkError(error, 'spool-corrupt')) {
        await this.setAside(partition, oldest, error);
        return true;
      }
      this.put(partition, [oldest]);
      throw error;
    }
    this.put(partition, [oldest]);
    return false;
  }

  /**
   * Discards one batch that no lane has asked for yet, the newest first, when the spool needs room. Keeps batches that may be recorded,
   * because this may be their only copy. Only the first of each chain may be: a batch is recorded after its predecessor has landed and left
   * this collection.
   *
   * @param unrecorded batches that the caller has just found missing from the ledger
   * @returns whether something was discarded
   */
  async dropOne(unrecorded: ReadonlySet<EncodedBatch> = new Set()): Promise<boolean> {
    for (const [partition, batches] of this.#batches) {
      const at = batches.findLastIndex((batch) => unrecorded.has(batch) || batches.some(({ entry }) => entry.id === batch.entry.prev));
      if (at < 0) continue;
      const [dropped] = batches.splice(at, 1);
      if (batches.length === 0) this.#batches.delete(partition);
      await this.discard(dropped!);
      return true;
    }
    return false;
  }

  /** A batch may be recorded only as the successor of the entry that it was sealed after. Any other place would fork the chain. */
  protected fits(end: ChainEnd, { entry }: EncodedBatch): boolean {
    return entry.prev === end.id && entry.from === end.to;
  }

  async #read(partition: number, files: BatchFiles): Promise<EncodedBatch | undefined> {
    try {
      return await readSpooled(files);
    } catch (error) {
      this.#observe({ type: 'SpoolCorrupt', partition, id: files.batchId, error: error as Error });
      await files.setAside();
      return undefined;
    }
  }

  /** Moves a corrupt batch to the folder in which an operator can inspect it. */
  async setAside(partition: number, batch: EncodedBatch, error: Error): Promise<void> {
    const { bytes, files } = batch;
    this.#all.delete(batch);
    this.#observe({ type: 'SpoolCorrupt', partition, id: files.batchId, error });
    this.#budget.remove(bytes);
    await files.setAside();
  }

  /** Removes a batch that is not needed any more. */
  async discard(batch: EncodedBatch): Promise<void> {
    this.#all.delete(batch);
    this.#budget.remove(batch.bytes);
    await batch.files.discard();
  }
}
