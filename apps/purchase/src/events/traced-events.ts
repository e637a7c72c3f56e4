import type { BatchAnswer, EventReceipt, Stream } from '@millrace/contracts';
import { endFailed, parentOf, type Tracing, traceparentOfSpan } from '@millrace/runtime';
import { type Attributes, type Span, SpanKind } from '@opentelemetry/api';
import type { PublishLimits } from '../publish/publish-call.ts';
import type { EventService, EventTaker } from './event-service.ts';

/**
 * Takes events with a span for each send. The event carries the `traceparent` of that span to its consumers. Events of one batch share a
 * span.
 */
export class TracedEvents implements EventTaker {
  readonly #events: EventTaker;
  readonly #topic: string;
  readonly #tracing: Tracing;

  constructor(events: EventTaker, { topic }: Pick<Stream, 'topic'>, tracing: Tracing) {
    this.#events = events;
    this.#topic = topic.name;
    this.#tracing = tracing;
  }

  /** @param traceparent that of the request */
  async take(
    body: unknown,
    traceparent: string,
    limits: PublishLimits,
    ...newEventId: [newEventId?: () => string]
  ): ReturnType<EventService['take']> {
    return await this.#send(traceparent, attributesOfReceipt, async (own) => await this.#events.take(body, own, limits, ...newEventId));
  }

  /** @param traceparent that of the request */
  async takeBatch(
    body: unknown,
    traceparent: string,
    limits: PublishLimits,
    ...newEventId: [newEventId?: (index: number) => string]
  ): ReturnType<EventService['takeBatch']> {
    return await this.#send(traceparent, attributesOfBatch, async (own) => await this.#events.takeBatch(body, own, limits, ...newEventId));
  }

  async #send<T>(traceparent: string, attributesOf: (answer: T) => Attributes, run: (traceparent: string) => Promise<T>): Promise<T> {
    const span = this.#begin(traceparent);
    let answer: T;
    try {
      answer = await run(traceparentOfSpan(span));
    } catch (error) {
      endFailed(span, error);
      throw error;
    }
    if (span.isRecording()) span.setAttributes(attributesOf(answer));
    span.end();
    return answer;
  }

  #begin(traceparent: string): Span {
    return this.#tracing.startSpan(
      `send ${this.#topic}`,
      {
        kind: SpanKind.PRODUCER,
        attributes: {
          'messaging.system': 'kafka',
          'messaging.destination.name': this.#topic,
          'messaging.operation.name': 'send',
          'messaging.operation.type': 'send',
        },
      },
      parentOf(traceparent),
    );
  }
}

function attributesOfReceipt(receipt: EventReceipt): Attributes {
  return {
    'messaging.message.id': receipt.eventId,
    'millrace.durability': receipt.durability,
    ...(receipt.durability === 'kafka'
      ? { 'messaging.destination.partition.id': String(receipt.partition), 'messaging.kafka.offset': Number(receipt.offset) }
      : {}),
  };
}

function attributesOfBatch({ accepted, rejected }: BatchAnswer): Attributes {
  return { 'messaging.batch.message_count': accepted, 'millrace.batch.rejected': rejected };
}
