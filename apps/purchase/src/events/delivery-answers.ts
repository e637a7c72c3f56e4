import { followPathOf, type EventReceipt, type Stream } from '@millrace/contracts';
import { KafkaRefusedError } from '@millrace/kafka/access';
import { PurchaseError, type PurchaseErrorCode } from '../errors.ts';
import type { Delivery, FailureReason } from '../publish/delivery.ts';

type Kept = Exclude<Delivery, { kind: 'failed' }>;
type Place<T> = T extends unknown ? Omit<T, 'links'> : never;

/** The place that keeps an event. */
export function placeOf(delivery: Kept, topic: string): Place<EventReceipt> {
  const { eventId } = delivery;
  if (delivery.kind === 'queued') return { eventId, durability: 'disk' };
  return { eventId, durability: 'kafka', topic, partition: delivery.partition, offset: String(delivery.offset) };
}

/** The receipt of an event that is durable. */
export function receiptOf(delivery: Kept, stream: Stream): EventReceipt {
  const place = placeOf(delivery, stream.topic.name);
  return { ...place, links: { self: followPathOf(stream, place.eventId, place.durability === 'kafka' ? place : undefined) } };
}

interface Answer {
  readonly code: PurchaseErrorCode;
  readonly detail: string;
  readonly retryAfterSeconds?: number;
}

const answers: Readonly<Record<FailureReason, Answer>> = {
  overloaded: { code: 'overloaded', detail: 'The queue of events is full; nothing of this one is kept.', retryAfterSeconds: 1 },
  unavailable: { code: 'unavailable', detail: 'Kafka cannot take events now; nothing of this one is kept.', retryAfterSeconds: 2 },
  unknown: {
    code: 'unavailable',
    detail: 'Kafka did not say in time whether it has the event. Send it again with the eventId of this answer: then it counts once.',
    retryAfterSeconds: 1,
  },
  expired: {
    code: 'deadline-exceeded',
    detail: 'The time of the request was over before the event could be sent; nothing of it is kept.',
    retryAfterSeconds: 1,
  },
  'too-large': { code: 'event-too-large', detail: 'The topic does not accept a message of this size.' },
  refused: { code: 'internal', detail: 'The topic refused the event.' },
  'outbox-full': {
    code: 'unavailable',
    detail: 'Kafka cannot take events now, and the outbox is full; nothing of this one is kept.',
    retryAfterSeconds: 5,
  },
  'outbox-failed': {
    code: 'unavailable',
    detail:
      'Kafka does not accept events now, and the disk did not confirm this event. Send it again with the eventId of this answer: then it counts once.',
    retryAfterSeconds: 2,
  },
  stopping: { code: 'unavailable', detail: 'The service is stopping; nothing of this event is kept.', retryAfterSeconds: 1 },
};

/** Returns the error for an event that was not acknowledged. It carries the eventId, under which a retry is the same event. */
export function errorOf({ eventId, reason, cause }: Extract<Delivery, { kind: 'failed' }>): PurchaseError {
  const { code, detail, retryAfterSeconds } = answers[reason];
  return new PurchaseError(code, cause instanceof KafkaRefusedError ? `${detail} ${factOf(cause)}` : detail, {
    eventId,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    ...(cause === undefined ? {} : { cause }),
  });
}

/** The kind of a refusal, for the client's operator. The message of Kafka is not exposed. */
function factOf({ kind }: KafkaRefusedError): string {
  return `The cause does not pass by itself (${kind}): inform the operator of this service.`;
}
