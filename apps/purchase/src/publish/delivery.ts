/**
 * Why an event was not acknowledged. Only after `unknown` may it stand in the topic; after every other reason it does not.
 *
 * - `overloaded`: the queue is full.
 * - `unavailable`: Kafka cannot be reached, or refuses to write for now.
 * - `unknown`: it was sent and the answer did not come; the same event must be sent again under the same `eventId`.
 * - `expired`: the request's time was over, or its client gone, before the event was sent.
 * - `too-large`: larger than the topic takes.
 * - `refused`: the topic takes no such event.
 * - `stopping`: the service stops.
 */
export type FailureReason = 'overloaded' | 'unavailable' | 'unknown' | 'expired' | 'too-large' | 'refused' | 'stopping';

/** What became of one event. */
export type Delivery =
  | { readonly kind: 'written'; readonly eventId: string; readonly partition: number; readonly offset: bigint }
  | { readonly kind: 'failed'; readonly eventId: string; readonly reason: FailureReason; readonly cause?: unknown };
