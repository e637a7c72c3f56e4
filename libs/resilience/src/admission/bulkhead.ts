import type { BulkheadSpec } from '../settings/pipeline-spec.ts';

/** A call that waits for its turn. */
export interface BulkheadWaiter {
  /** Its turn has come: true takes a permit. False when it has given up but not left the queue yet. */
  admitted(): boolean;
}

/** Bounds how many calls run at once. A permit is given back when the work has really ended, not when its caller was answered. */
export class Bulkhead {
  private taken = 0;
  private readonly waiters = new Set<BulkheadWaiter>();

  constructor(private settings: Required<BulkheadSpec>) {}

  /** Takes a permit, if one is free. While anybody waits none is: a permit that comes back goes to the first in the queue at once. */
  tryEnter(): boolean {
    if (this.taken >= this.settings.concurrencyMax) return false;
    this.taken += 1;
    return true;
  }

  /** Whether the queue has a place. */
  get canQueue(): boolean {
    return this.waiters.size < this.settings.queueMax;
  }

  /** Takes a place in the queue. First come, first served. */
  queue(waiter: BulkheadWaiter): void {
    this.waiters.add(waiter);
  }

  /** Leaves the queue without a permit. */
  leaveQueue(waiter: BulkheadWaiter): void {
    this.waiters.delete(waiter);
  }

  /** Gives a permit back; the first that waits gets it. */
  leave(): void {
    this.taken -= 1;
    this.admitWaiting();
  }

  /** A smaller limit is reached as work ends; a larger one lets waiting calls in at once. */
  update(settings: Required<BulkheadSpec>): void {
    this.settings = settings;
    this.admitWaiting();
  }

  get queued(): number {
    return this.waiters.size;
  }

  get limits(): Required<BulkheadSpec> {
    return this.settings;
  }

  private admitWaiting(): void {
    for (const waiter of this.waiters) {
      if (this.taken >= this.settings.concurrencyMax) return;
      this.waiters.delete(waiter);
      if (waiter.admitted()) this.taken += 1;
    }
  }
}
