import type { Pending } from './publish-call.ts';

/** The events that wait for one partition, in order. */
export class PartitionQueue {
  #items: Pending[] = [];
  #head = 0;
  #bytes = 0;
  /** Maximum events of the next batch: halved when the broker refuses a batch as too large, doubled when it writes one. */
  #batchEventsMax = Number.POSITIVE_INFINITY;

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#head === this.#items.length;
  }

  push(pending: Pending): void {
    this.#items.push(pending);
    this.#bytes += pending.message.bytes;
  }

  /** Takes the next batch: events whose calls still wait, up to `bytesMax`, and at least one. */
  take(bytesMax: number): Pending[] {
    const batch: Pending[] = [];
    let bytes = 0;
    while (this.#head < this.#items.length && batch.length < this.#batchEventsMax) {
      const next = this.#items[this.#head]!;
      if (next.state === 'queued') {
        if (batch.length > 0 && bytes + next.message.bytes > bytesMax) break;
        batch.push(next);
        bytes += next.message.bytes;
      }
      this.#head += 1;
      this.#bytes -= next.message.bytes;
    }
    this.#compact();
    return batch;
  }

  /**
   * Puts the waiting events of a batch that was too large back to the head. The next batches are half as large.
   *
   * @param sentEvents number of events in the batch that was refused
   */
  putBack(batch: readonly Pending[], sentEvents: number): void {
    this.#items = [...batch, ...this.#items.slice(this.#head)];
    this.#head = 0;
    for (const { message } of batch) this.#bytes += message.bytes;
    this.#batchEventsMax = Math.ceil(sentEvents / 2);
  }

  /** Allows larger batches again after one was written. */
  written(): void {
    this.#batchEventsMax *= 2;
  }

  // An array has no cheap shift, so the consumed part is removed once it is the larger part.
  #compact(): void {
    if (this.isEmpty) {
      this.#items = [];
      this.#head = 0;
    } else if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
  }
}
