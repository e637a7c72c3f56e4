import type { BatchHeader, RecordsOfBatch } from './record-batch.ts';
import { isAbort } from './record-batch.ts';

/** A transaction that was aborted, as a broker's answer names it. */
export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: number;
}

/** Finds the batches of an answer that belong to aborted transactions. Query batches in the order of their offsets. */
export class AbortedTransactions {
  /** The first one comes last. */
  readonly #ahead: AbortedTransaction[];
  readonly #open = new Set<bigint>();

  constructor(aborted: readonly AbortedTransaction[]) {
    // Brokers name them in any order.
    this.#ahead = aborted.toSorted((a, b) => b.firstOffset - a.firstOffset);
  }

  /** Whether no consumer may see the records of a batch. */
  hides({ producerId, lastOffset, transactional }: BatchHeader): boolean {
    for (let next = this.#ahead.at(-1); next !== undefined && next.firstOffset <= lastOffset; next = this.#ahead.at(-1)) {
      this.#open.add(next.producerId);
      this.#ahead.pop();
    }
    return transactional && this.#open.has(producerId);
  }

  /** Takes a transaction's marker. */
  takeMarker({ producerId }: BatchHeader, { records }: RecordsOfBatch): void {
    if (isAbort(records)) this.#open.delete(producerId);
  }
}
