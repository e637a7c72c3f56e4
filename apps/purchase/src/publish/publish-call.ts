import type { CallDeadlines, DueCall } from './call-deadlines.ts';
import type { ClientPresence } from './client-presence.ts';
import type { Delivery, FailureReason } from './delivery.ts';
import type { EventMessage } from './event-message.ts';

/** Limits of one call to the publisher. */
export interface PublishLimits {
  /** Ends the wait early when the client disconnects. */
  readonly client: ClientPresence;
  /** Epoch milliseconds at which the wait ends. */
  readonly deadline: number;
  /** The caller's own deadline in epoch milliseconds, if it sent one. The event passes it on to consumers. */
  readonly callerDeadline?: number | undefined;
}

/** One event in the publisher: `queued` until Kafka's client gets it, `sending` until its outcome is known. */
export interface Pending {
  readonly message: EventMessage;
  readonly index: number;
  readonly call: PublishCall;
  state: 'queued' | 'sending' | 'settled';
}

/** The events of one request. Resolves when each has its delivery, at the deadline at the latest. */
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

  /** @param onExpired called with each event that is still queued at the deadline */
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

  /** Ends the call at its deadline, or when its client disconnects. */
  expire(): void {
    const cause = this.#client.reason;
    for (const one of this.pending) {
      if (one.state === 'queued') this.#onExpired(one);
      if (one.state !== 'settled') this.fail(one, one.state === 'sending' ? 'unknown' : 'expired', cause);
    }
  }

  /** Settles an event that Kafka has written. No effect after the call expired. */
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
