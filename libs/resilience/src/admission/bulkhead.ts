import type { BulkheadSpec } from '../settings/pipeline-spec.ts';

/** A call that waits for a permit. */
export interface BulkheadWaiter {
  /** Offers a permit. Returns false when the call no longer waits but has not left the queue yet. */
  tryAccept(): boolean;
}

/** Limits concurrent calls. A call returns its permit when its work has really ended, not when its caller has an answer. */
export class Bulkhead {
  #settings: Required<BulkheadSpec>;
  #taken = 0;
  readonly #waiters = new Set<BulkheadWaiter>();

  constructor(settings: Required<BulkheadSpec>) {
    this.#settings = settings;
  }

  /** Takes a free permit. While a call waits, no permit is free: a returned permit goes to the first waiter at once. */
  tryEnter(): boolean {
    if (this.#taken >= this.#settings.concurrencyMax) return false;
    this.#taken += 1;
    return true;
  }

  /** Whether the queue has a free place. */
  get canQueue(): boolean {
    return this.#waiters.size < this.#settings.queueMax;
  }

  /** Adds a waiter at the end of the queue. */
  enqueue(waiter: BulkheadWaiter): void {
    this.#waiters.add(waiter);
  }

  /** Removes a waiter that has no permit. */
  leaveQueue(waiter: BulkheadWaiter): void {
    this.#waiters.delete(waiter);
  }

  /** Returns a permit. The first waiter gets it. */
  leave(): void {
    this.#taken -= 1;
    this.#admitWaiters();
  }

  /** A higher limit admits waiters at once. A lower limit takes effect as work ends. */
  update(settings: Required<BulkheadSpec>): void {
    this.#settings = settings;
    this.#admitWaiters();
  }

  get queued(): number {
    return this.#waiters.size;
  }

  get limits(): Required<BulkheadSpec> {
    return this.#settings;
  }

  #admitWaiters(): void {
    for (const waiter of this.#waiters) {
      if (this.#taken >= this.#settings.concurrencyMax) return;
      this.#waiters.delete(waiter);
      if (waiter.tryAccept()) this.#taken += 1;
    }
  }
}
