import { Type } from 'typebox';
import type { Plain } from './plain.ts';
import { problemSchema } from './problem.ts';

const eventId = Type.String({ description: 'Identity of the event, a UUID' });
const links = Type.Object({ self: Type.String({ description: 'Path that follows the event' }) }, { description: 'Paths of the event' });

const kafkaFields = {
  eventId,
  durability: Type.Literal('kafka', { description: 'Every in-sync replica of the topic has the event' }),
  topic: Type.String({ description: 'Topic of the event' }),
  partition: Type.Integer({ minimum: 0, description: 'Partition of the event' }),
  offset: Type.String({ pattern: '^[0-9]+$', description: 'Offset of the event, a 64-bit number as text' }),
};

const diskFields = {
  eventId,
  durability: Type.Literal('disk', { description: 'The outbox of the instance holds the event until Kafka accepts it' }),
};

const kafkaReceiptSchema = Type.Object(
  { ...kafkaFields, links },
  { title: 'KafkaReceipt', description: 'Receipt of an event in the topic.' },
);
const diskReceiptSchema = Type.Object(
  { ...diskFields, links },
  { title: 'DiskReceipt', description: 'Receipt of an event in the outbox on disk.' },
);

/** Schema of {@link EventReceipt}. */
export const eventReceiptSchema = Type.Union([kafkaReceiptSchema, diskReceiptSchema], {
  title: 'EventReceipt',
  description: 'The place that keeps an accepted event.',
});

/** Receipt of an event in the topic, on every in-sync replica. */
export type KafkaReceipt = Plain<typeof kafkaReceiptSchema>;

/** Receipt of an event in the outbox on the disk of the instance. It is published when Kafka is back and has no offset yet. */
export type DiskReceipt = Plain<typeof diskReceiptSchema>;

/** Answer to an accepted event: the place that keeps it. */
export type EventReceipt = KafkaReceipt | DiskReceipt;

const index = Type.Integer({ minimum: 0, description: 'Position in the posted batch, from 0' });
const accepted = Type.Literal(202, { description: 'HTTP status that the event would get if it were posted alone' });

const acceptedInKafkaSchema = Type.Object(
  { index, status: accepted, ...kafkaFields },
  { title: 'KafkaItem', description: 'An event that is in the topic.' },
);
const acceptedOnDiskSchema = Type.Object(
  { index, status: accepted, ...diskFields },
  { title: 'DiskItem', description: 'An event that is in the outbox.' },
);
const rejectedItemSchema = Type.Object(
  {
    index,
    status: Type.Integer({ description: 'HTTP status that the event would get if it were posted alone' }),
    eventId: Type.Optional(eventId),
    problem: problemSchema,
  },
  { title: 'RejectedItem', description: 'An event that was not accepted.' },
);

/** Schema of {@link BatchItem}. */
export const batchItemSchema = Type.Union([acceptedInKafkaSchema, acceptedOnDiskSchema, rejectedItemSchema], {
  title: 'BatchItem',
  description: 'Answer to one event of a batch: a receipt, or a problem.',
});

/** Answer to one item that was accepted. */
export type AcceptedItem = Plain<typeof acceptedInKafkaSchema> | Plain<typeof acceptedOnDiskSchema>;

/** Answer to one item that was not accepted. */
export type RejectedItem = Plain<typeof rejectedItemSchema>;

/** One item of a batch answer. */
export type BatchItem = AcceptedItem | RejectedItem;

/** Schema of {@link BatchAnswer}. */
export const batchAnswerSchema = Type.Object(
  {
    accepted: Type.Integer({ minimum: 0, description: 'Number of accepted events' }),
    rejected: Type.Integer({ minimum: 0, description: 'Number of rejected events' }),
    items: Type.Array(batchItemSchema, { description: 'One answer for each event, in the order of the request' }),
    links: Type.Object(
      {
        follow: Type.String({ description: 'URI template (RFC 6570) of the path that follows an accepted item, filled in from the item' }),
      },
      { description: 'Paths of the items' },
    ),
  },
  { title: 'BatchAnswer', description: 'Answer to a batch of events.' },
);

/** Answer to a posted batch. */
export type BatchAnswer = Plain<typeof batchAnswerSchema>;

/** Limits of the purchase API. */
export const purchaseLimits = {
  /** Largest body of one event in bytes. */
  bodyBytesMax: 1024 * 1024,
  /** Largest body of a batch in bytes. */
  batchBytesMax: 8 * 1024 * 1024,
  /** Maximum number of items in one batch. */
  batchItemsMax: 10_000,
} as const;

const streamViewSchema = Type.Object(
  {
    name: Type.String({ description: 'Name of the stream' }),
    description: Type.String({ description: 'One sentence about one event' }),
    routes: Type.Array(Type.String(), { description: 'Paths to post one event and a batch of events' }),
    scope: Type.String({ description: 'Scope that posting needs' }),
    topic: Type.String({ description: 'Topic of the events' }),
    partitions: Type.Integer({ minimum: 1, description: 'Number of partitions of the topic at its creation. It may have grown since' }),
    key: Type.String({ description: 'Field that is the key: events of one key keep their order' }),
    eventType: Type.String({ description: 'CloudEvents type of the events' }),
    schema: Type.String({ description: 'Path of the JSON Schema of the events in the topic' }),
    database: Type.String({ description: 'Database of the table' }),
    table: Type.String({ description: 'Table that the events land in' }),
  },
  { title: 'StreamView', description: 'One kind of event, from REST to table.' },
);

/** One stream, as the purchase API lists it. */
export type StreamView = Plain<typeof streamViewSchema>;

/** Schema of the answer of `GET /v1/streams`. */
export const streamListSchema = Type.Object(
  { streams: Type.Array(streamViewSchema) },
  { title: 'StreamList', description: 'The streams that the service accepts.' },
);

/** Answer of `GET /v1/streams`. */
export type StreamList = Plain<typeof streamListSchema>;
