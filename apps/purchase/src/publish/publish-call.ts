import type { CallDeadlines, DueCall } from './call-deadlines.ts';
import type { ClientPresence } from './client-presence.ts';
import type { Delivery, FailureReason } from './delivery.ts';
import type { EventMessage } from './event-message.ts';

/** Limits of one call to the publisher. */
export interface PublishLimits {
  /** Ends the wait early when it is gone. */
  readonly client: ClientPresence;
  /** Epoch milliseconds at which the wait ends. */
  readonly deadline: number;
  /** Epoch milliseconds after which the caller waits for nothing that is done on its behalf, when it said so; the event carries it on. */
  readonly callerDeadline?: number | undefined;
}

/** One event on its way. `queued` until it is handed to Kafka's client, `sending` until the outcome is there. */
export interface Pending {
  readonly message: EventMessage;
  readonly index: number;
  readonly call: PublishCall;
  state: 'queued' | 'sending' | 'settled';
}

/** The events of one request: resolves when each has its delivery, at the deadline at the latest. */
export class PublishCall implements DueCall {
  readonly pending: readonly Pending[];
  readonly deliveries: Promise<Delivery[]>;
  readonly deadline: number;
  readonly #client: ClientPresence;
  readonly #deadlines: CallDeadlines;
  readonly #onExpired: (pending: Pending) => void;
  readonly #results: Delivery[] = [];
  #open: number;
  #resolve!: (deliveries: Delivery[]) => void;

  /** @param onExpired called with every event that was still queued when the time was over */
  constructor(
    messages: readonly EventMessage[],
    { client, deadline }: PublishLimits,
    deadlines: CallDeadlines,
    onExpired: (pending: Pending) => void,
  ) {
    this.pending = messages.map((message, index) => ({ message, index, call: this, state: 'queued' }));
    this.deadline = deadline;
    this.#client = client;
    this.#deadlines = deadlines;
    this.#onExpired = onExpired;
    this.#open = messages.length;
    this.deliveries = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    deadlines.add(this);
    client.onGone(() => this.expire());
    if (client.isGone) this.expire();
  }

  /** The time of the request is over, or its client is gone. */
  expire(): void {
    const cause = this.#client.reason;
    for (const one of this.pending) {
      if (one.state === 'queued') this.#onExpired(one);
      if (one.state !== 'settled') this.fail(one, one.state === 'sending' ? 'unknown' : 'expired', cause);
    }
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
    this.#deadlines.remove(this);
    this.#client.onGone(undefined);
    this.#resolve(this.#results);
  }
}
