/**
 * Why an event was not acknowledged. After `unknown` and `outbox-failed` it may be kept; after every other reason it is not.
 *
 * - `overloaded`: the queue is full.
 * - `unavailable`: Kafka cannot be reached, or refuses to write for now.
 * - `unknown`: it was sent and the answer did not come; the same event must be sent again under the same `eventId`.
 * - `expired`: the request's time was over, or its client gone, before the event was sent.
 * - `too-large`: larger than the topic takes.
 * - `refused`: the topic takes no such event.
 * - `stopping`: the service stops.
 * - `outbox-full`: Kafka cannot be reached, and the outbox has no room.
 * - `outbox-failed`: Kafka cannot be reached, and the disk did not confirm the event; a restart may find it there.
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
