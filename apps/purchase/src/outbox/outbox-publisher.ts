import { type Clock, CodedError, type Pipeline, type QueueEntry, sleep } from '@millrace/resilience';
import { OutboxError } from '../errors.ts';
import type { Delivery, FailureReason } from '../publish/delivery.ts';
import type { EventPublisher } from '../publish/event-publisher.ts';
import type { PublishLimits } from '../publish/publish-call.ts';
import type { EventMessage } from '../publish/event-message.ts';
import { entryOfMessage, queueKeyOf } from './message-codec.ts';
import type { OutboxQueue } from './outbox-queue.ts';

/** Longest wait for the last entries of a partition, in milliseconds. A pass over them takes a few; a customer does not notice this. */
const lastEntriesMsMax = 100;

/** Failures after which an event goes to the outbox. All others would fail again, or are about the request and not about Kafka. */
const kept: ReadonlySet<FailureReason> = new Set(['unavailable', 'unknown']);

/** Whether an event goes to the outbox after this failure, so that the outbox decides whether it is rejected. */
export function goesToOutbox(reason: FailureReason): boolean {
  return kept.has(reason);
}

type Failed = Extract<Delivery, { kind: 'failed' }>;

/** Some events of a request are not in Kafka for now. */
class NotInKafkaError extends CodedError {
  readonly code = 'not-in-kafka';
  readonly retryable = true;
  readonly entries: readonly QueueEntry[];

  /** @param deliveries Of all events of the request. */
  constructor(
    readonly messages: readonly EventMessage[],
    readonly deliveries: readonly Delivery[],
  ) {
    const failed = deliveries.find(isKept);
    super('Events of a request are not in Kafka.', { cause: failed?.cause });
    this.entries = messages.filter((_message, index) => isKept(deliveries[index]!)).map(entryOfMessage);
  }
}

/** Whether the `queue` fallback applies to an error of the pipeline. */
export function isForOutbox(error: unknown): boolean {
  return error instanceof NotInKafkaError;
}

/** Dependencies of {@link OutboxPublisher}. */
export interface OutboxPublisherOptions {
  readonly publisher: EventPublisher & { readonly downCause: unknown };
  readonly queue: Pick<OutboxQueue<EventMessage>, 'isEmpty' | 'isWaiting' | 'isAlmostReplayed' | 'untilReplayed' | 'failureOf'>;
  readonly clock: Clock;
  /** Its `queue` fallback is the outbox. */
  readonly pipeline: Pick<Pipeline, 'executeOutcome'>;
  /** Called for events that neither Kafka nor the outbox has. */
  readonly onFailed: (reason: FailureReason, events: number) => void;
  /** Called when events are durable in the outbox. */
  readonly onQueued: (events: number) => void;
}

/**
 * Publishes to Kafka, and puts events that Kafka does not take into the outbox. While events of a partition wait there, new ones of that
 * partition queue behind them, so that an instance keeps the order per key. At the end of the backlog new ones wait a moment for it
 * instead.
 */
export class OutboxPublisher implements EventPublisher {
  readonly #options: OutboxPublisherOptions;

  constructor(options: OutboxPublisherOptions) {
    this.#options = options;
  }

  async publish(messages: readonly EventMessage[], limits: PublishLimits): Promise<Delivery[]> {
    const { pipeline, onQueued } = this.#options;
    const outcome = await pipeline.executeOutcome(async () => await this.#toKafka(messages, limits), {
      deadline: limits.deadline,
      // The pipeline has no retries; the producer repeats a write under its own sequence numbers.
      idempotent: false,
      entries: (error) => (error instanceof NotInKafkaError && !limits.client.isGone ? error.entries : []),
    });
    if (outcome.result === 'succeeded' || outcome.result === 'cached') return outcome.value;
    const { error } = outcome;
    // Only a closed pipeline refuses calls: its attempts are longer than any request.
    if (!(error instanceof NotInKafkaError))
      return messages.map(({ eventId }) => ({ kind: 'failed', eventId, reason: 'stopping', cause: error }));
    if (outcome.result === 'fell-back') {
      onQueued(error.entries.length);
      return error.deliveries.map((delivery) => (isKept(delivery) ? { kind: 'queued', eventId: delivery.eventId } : delivery));
    }
    return this.#report(limits.client.isGone ? error.deliveries : this.#explain(error));
  }

  async #toKafka(messages: readonly EventMessage[], limits: PublishLimits): Promise<Delivery[]> {
    const { publisher, queue } = this.#options;
    if (!queue.isEmpty) await this.#waitForLastEntries(messages);
    const deliveries = queue.isEmpty ? await publisher.publish(messages, limits) : await this.#withoutWaiting(messages, limits);
    if (deliveries.some(isKept)) throw new NotInKafkaError(messages, deliveries);
    return deliveries;
  }

  /**
   * Waits while the last entries of a partition are drained. Otherwise the backlog would not end under a high load, because some events
   * arrive during each pass. No event that waits here is acknowledged, so the order per key holds however the wait ends.
   */
  async #waitForLastEntries(messages: readonly EventMessage[]): Promise<void> {
    const { publisher, queue, clock } = this.#options;
    if (publisher.downCause !== undefined) return;
    const keys = [...new Set(messages.map(queueKeyOf))].filter((key) => queue.isAlmostReplayed(key));
    if (keys.length === 0) return;
    const over = new AbortController();
    const late = sleep(lastEntriesMsMax, { clock, signal: over.signal }).catch(() => undefined);
    await Promise.race([Promise.all(keys.map(async (key) => await queue.untilReplayed(key))), late]);
    over.abort();
  }

  /** Reports the events that are rejected in the end. The publisher itself reports the failures that never go to the outbox. */
  #report(deliveries: readonly Delivery[]): Delivery[] {
    const counts = new Map<FailureReason, number>();
    for (const delivery of deliveries) {
      if (delivery.kind === 'failed' && isRejectedHere(delivery.reason))
        counts.set(delivery.reason, (counts.get(delivery.reason) ?? 0) + 1);
    }
    for (const [reason, events] of counts) this.#options.onFailed(reason, events);
    return [...deliveries];
  }

  /** Publishes the events of partitions without a backlog. The others are `unavailable`: they must queue behind it. */
  async #withoutWaiting(messages: readonly EventMessage[], limits: PublishLimits): Promise<Delivery[]> {
    const { publisher, queue } = this.#options;
    const direct = messages.filter((message) => !queue.isWaiting(queueKeyOf(message)));
    const isDirect = new Set(direct);
    const published = (await publisher.publish(direct, limits)).values();
    return messages.map((message) =>
      isDirect.has(message) ? published.next().value! : { kind: 'failed', eventId: message.eventId, reason: 'unavailable' },
    );
  }

  /** The outbox did not take the events either. One whose send has no outcome stays in doubt. */
  #explain({ deliveries, entries }: NotInKafkaError): readonly Delivery[] {
    const failure = this.#options.queue.failureOf(entries);
    const reason = failure instanceof OutboxError && failure.code === 'queue-full' ? 'outbox-full' : 'outbox-failed';
    return deliveries.map((delivery) =>
      isKept(delivery) && delivery.reason === 'unavailable' ? { ...delivery, reason, cause: failure ?? delivery.cause } : delivery,
    );
  }
}

function isRejectedHere(reason: FailureReason): boolean {
  return kept.has(reason) || reason === 'outbox-full' || reason === 'outbox-failed';
}

function isKept(delivery: Delivery): delivery is Failed {
  return delivery.kind === 'failed' && kept.has(delivery.reason);
}
