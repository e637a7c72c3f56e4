import { Type } from 'typebox';
import type { Plain } from './plain.ts';
import { problemSchema } from './problem.ts';

const eventId = Type.String({ description: 'Identity of the event, a UUID' });

const kafkaFields = {
  eventId,
  durability: Type.Literal('kafka', { description: 'Every in-sync replica of the topic has the event' }),
  topic: Type.String({ description: 'Topic of the event' }),
  partition: Type.Integer({ minimum: 0, description: 'Partition of the event' }),
  offset: Type.String({ pattern: '^[0-9]+$', description: 'Offset of the event, a 64-bit number as text' }),
};

const diskFields = {
  eventId,
  durability: Type.Literal('disk', { description: 'The outbox of the instance has the event until Kafka takes it' }),
};

const kafkaReceiptSchema = Type.Object(kafkaFields, { title: 'KafkaReceipt', description: 'Receipt of a purchase in the topic.' });
const diskReceiptSchema = Type.Object(diskFields, { title: 'DiskReceipt', description: 'Receipt of a purchase in the outbox on disk.' });

/** Schema of {@link PurchaseReceipt}. */
export const purchaseReceiptSchema = Type.Union([kafkaReceiptSchema, diskReceiptSchema], {
  title: 'PurchaseReceipt',
  description: 'The place that keeps an accepted purchase.',
});

/** Receipt of a purchase in the topic, on every in-sync replica. */
export type KafkaReceipt = Plain<typeof kafkaReceiptSchema>;

/** Receipt of a purchase in the outbox on the disk of the instance. It is published when Kafka is back and has no offset yet. */
export type DiskReceipt = Plain<typeof diskReceiptSchema>;

/** Answer to an accepted purchase: the place that keeps it. */
export type PurchaseReceipt = KafkaReceipt | DiskReceipt;

const index = Type.Integer({ minimum: 0, description: 'Position in the posted batch, from 0' });
const accepted = Type.Literal(202, { description: 'HTTP status that the purchase has alone' });

const acceptedInKafkaSchema = Type.Object(
  { index, status: accepted, ...kafkaFields },
  { title: 'KafkaItem', description: 'A purchase that is in the topic.' },
);
const acceptedOnDiskSchema = Type.Object(
  { index, status: accepted, ...diskFields },
  { title: 'DiskItem', description: 'A purchase that is in the outbox.' },
);
const rejectedItemSchema = Type.Object(
  {
    index,
    status: Type.Integer({ description: 'HTTP status that the purchase has alone' }),
    eventId: Type.Optional(eventId),
    problem: problemSchema,
  },
  { title: 'RejectedItem', description: 'A purchase that was not accepted.' },
);

/** Schema of {@link BatchItem}. */
export const batchItemSchema = Type.Union([acceptedInKafkaSchema, acceptedOnDiskSchema, rejectedItemSchema], {
  title: 'BatchItem',
  description: 'Answer to one purchase of a batch: a receipt, or a problem.',
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
    accepted: Type.Integer({ minimum: 0, description: 'Number of accepted purchases' }),
    rejected: Type.Integer({ minimum: 0, description: 'Number of rejected purchases' }),
    items: Type.Array(batchItemSchema, { description: 'One answer for each purchase, in the order of the request' }),
  },
  { title: 'BatchAnswer', description: 'Answer to a batch of purchases.' },
);

/** Answer to a posted batch. */
export type BatchAnswer = Plain<typeof batchAnswerSchema>;

/** Limits of the purchase API. */
export const purchaseLimits = {
  /** Largest body of one purchase in bytes. */
  bodyBytesMax: 1024 * 1024,
  /** Largest body of a batch in bytes. */
  batchBytesMax: 8 * 1024 * 1024,
  /** Maximum number of items in one batch. */
  batchItemsMax: 10_000,
} as const;
