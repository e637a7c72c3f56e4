import type { Delivery } from './delivery.ts';
import type { PublishLimits } from './publish-call.ts';
import type { EventMessage } from './event-message.ts';

/** Takes the events of one request. Two implementations: the publisher to Kafka, and the one with the outbox around it. */
export interface EventPublisher {
  /** Resolves with a delivery for each message, in order, at the deadline at the latest; never rejects. */
  publish(messages: readonly EventMessage[], limits: PublishLimits): Promise<Delivery[]>;
}
