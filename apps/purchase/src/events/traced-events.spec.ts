import { purchases, type BatchAnswer, type EventReceipt } from '@millrace/contracts';
import type { Tracing } from '@millrace/runtime';
import { ROOT_CONTEXT, type Span, type SpanOptions, trace } from '@opentelemetry/api';
import { expect, it } from 'vitest';
import { PurchaseError } from '../errors.ts';
import { ClientPresence } from '../publish/client-presence.ts';
import type { EventTaker } from './event-service.ts';
import { TracedEvents } from './traced-events.ts';

const limits = { client: new ClientPresence(), deadline: 0 };
const traceId = 'a'.repeat(32);
const request = `00-${traceId}-${'b'.repeat(16)}-01`;
const own = `00-${traceId}-${'c'.repeat(16)}-01`;
const eventId = '0199f2a0-0000-7000-8000-000000000001';
const receipt: EventReceipt = { eventId, durability: 'kafka', topic: 'purchases', partition: 3, offset: '7', links: { self: '/' } };
const answer: BatchAnswer = { accepted: 2, rejected: 1, items: [], links: { follow: '/' } };

async function fail(): Promise<never> {
  return await Promise.reject(new PurchaseError('unavailable', 'Kafka is down.'));
}

function unused(): never {
  throw new Error('unused');
}

/** Tracing with one span, which notes its calls in order. */
function recording(): { readonly tracing: Tracing; readonly calls: unknown[] } {
  const calls: unknown[] = [];
  const span = {
    spanContext: () => ({ traceId, spanId: 'c'.repeat(16), traceFlags: 1 }),
    isRecording: () => true,
    setAttribute: (name: string, value: unknown) => void calls.push({ [name]: value }),
    setAttributes: (attributes: unknown) => void calls.push(attributes),
    setStatus: ({ message }: { message?: string }) => void calls.push(message),
    end: () => void calls.push('end'),
  } as unknown as Span;
  const startSpan = (name: string, { attributes }: SpanOptions, parent = ROOT_CONTEXT): Span => {
    calls.push([name, trace.getSpanContext(parent)?.spanId, attributes?.['messaging.operation.type']]);
    return span;
  };
  return { tracing: { startSpan, startRoot: unused, contextOf: unused, close: unused }, calls };
}

const begun = [`send ${purchases.topic.name}`, 'b'.repeat(16), 'send'];

it('an event carries the trace context of its send, below the request, and the span has its place in Kafka', async () => {
  const { tracing, calls } = recording();
  const events: EventTaker = {
    take: async (_body, traceparent, _limits, newEventId) =>
      await Promise.resolve({ ...receipt, links: { self: `${traceparent} ${newEventId?.()}` } }),
    takeBatch: async () => await Promise.resolve(answer),
  };
  const traced = new TracedEvents(events, purchases, tracing);
  expect((await traced.take({}, request, limits, () => 'made')).links.self).toBe(`${own} made`);
  expect(calls).toEqual([
    begun,
    {
      'messaging.message.id': eventId,
      'millrace.durability': 'kafka',
      'messaging.destination.partition.id': '3',
      'messaging.kafka.offset': 7,
    },
    'end',
  ]);
});

it('the events of a batch share one span with their number', async () => {
  const { tracing, calls } = recording();
  const carried: string[] = [];
  const events: EventTaker = {
    take: async () => await Promise.resolve(receipt),
    takeBatch: async (_body, traceparent) => {
      carried.push(traceparent);
      return await Promise.resolve(answer);
    },
  };
  expect(await new TracedEvents(events, purchases, tracing).takeBatch([], request, limits)).toBe(answer);
  expect(carried).toEqual([own]);
  expect(calls).toEqual([begun, { 'messaging.batch.message_count': 2, 'millrace.batch.rejected': 1 }, 'end']);
});

it('a send that fails ends its span with the code of the error', async () => {
  const { tracing, calls } = recording();
  await expect(new TracedEvents({ take: fail, takeBatch: fail }, purchases, tracing).take({}, request, limits)).rejects.toThrow(
    'Kafka is down.',
  );
  expect(calls).toEqual([begun, { 'error.type': 'unavailable' }, 'Kafka is down.', 'end']);
});
