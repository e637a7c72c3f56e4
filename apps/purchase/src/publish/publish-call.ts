import type { Clock } from '@millrace/resilience';
import type { Delivery, FailureReason } from './delivery.ts';
import type { PurchaseMessage } from './purchase-message.ts';

/** Limits of one call to the publisher. */
export interface PublishLimits {
  /** Ends the wait early: the client went away. */
  readonly signal: AbortSignal;
  /** Epoch milliseconds at which the wait ends. */
  readonly deadline: number;
  /** Epoch milliseconds after which the caller waits for nothing that is done on its behalf, when it said so; the event carries it on. */
  readonly callerDeadline?: number | undefined;
}

/** One event on its way. `queued` until it is handed to Kafka's client, `sending` until the outcome is there. */
export interface Pending {
  readonly message: PurchaseMessage;
  readonly index: number;
  readonly call: PublishCall;
  state: 'queued' | 'sending' | 'settled';
}

/** The events of one request: resolves when each has its delivery, at the deadline at the latest. */
export class PublishCall {
  readonly pending: readonly Pending[];
  readonly deliveries: Promise<Delivery[]>;
  readonly #results: Delivery[];
  #open: number;
  #resolve!: (deliveries: Delivery[]) => void;
  readonly #release: () => void;

  /** @param onExpired called with every event that was still queued when the time was over */
  constructor(messages: readonly PurchaseMessage[], { signal, deadline }: PublishLimits, clock: Clock, onExpired: (pending: Pending) => void) {
    this.pending = messages.map((message, index) => ({ message, index, call: this, state: 'queued' }));
    this.#results = [];
    this.#open = messages.length;
    this.deliveries = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    const expire = (): void => {
      const cause: unknown = signal.aborted ? signal.reason : undefined;
      for (const one of this.pending) {
        if (one.state === 'queued') onExpired(one);
        if (one.state !== 'settled') this.fail(one, one.state === 'sending' ? 'unknown' : 'expired', cause);
      }
    };
    const timer = clock.setTimeout(expire, Math.max(0, deadline - clock.now()));
    signal.addEventListener('abort', expire, { once: true });
    this.#release = () => {
      clock.clearTimeout(timer);
      signal.removeEventListener('abort', expire);
    };
    if (signal.aborted) expire();
  }

  /** The event stands in its partition. No effect when the call has given up on it. */
  succeed(pending: Pending, offset: bigint): void {
    this.#settle(pending, { kind: 'written', eventId: pending.message.eventId, partition: pending.message.partition, offset });
  }

  fail(pending: Pending, reason: FailureReason, cause?: unknown): void {
    this.#settle(pending, { kind: 'failed', eventId: pending.message.eventId, reason, ...(cause === undefined ? {} : { cause }) });
  }

  #settle(pending: Pending, delivery: Delivery): void {
    if (pending.state === 'settled') return;
    pending.state = 'settled';
    this.#results[pending.index] = delivery;
    this.#open -= 1;
    if (this.#open > 0) return;
    this.#release();
    this.#resolve(this.#results);
  }
}
