/**
 * Reason why an event was not acknowledged. After `unknown` and `outbox-failed` the event may be stored. After any other reason it is not
 * stored.
 *
 * - `overloaded`: the queue is full.
 * - `unavailable`: Kafka is unreachable, or refuses writes at the moment.
 * - `unknown`: Kafka did not answer the send. The client must repeat the event under the same `eventId`.
 * - `expired`: the request timed out, or its client disconnected, before the send.
 * - `too-large`: the event exceeds the limit of the topic.
 * - `refused`: the topic does not accept such an event.
 * - `stopping`: the service stops.
 * - `outbox-full`: Kafka is unreachable, and the outbox is full.
 * - `outbox-failed`: Kafka is unreachable, and the disk did not confirm the event. A restart may find it there.
 */
export type FailureReason =
  | 'overloaded'
  | 'unavailable'
  | 'unknown'
  | 'expired'
  | 'too-large'
  | 'refused'
  | 'stopping'
  | 'outbox-full'
  | 'outbox-failed';

/** The fate of one event: `written` to Kafka, `queued` durably in the outbox, or `failed`. */
export type Delivery =
  | { readonly kind: 'written'; readonly eventId: string; readonly partition: number; readonly offset: bigint }
  | { readonly kind: 'queued'; readonly eventId: string }
  | { readonly kind: 'failed'; readonly eventId: string; readonly reason: FailureReason; readonly cause?: unknown };
