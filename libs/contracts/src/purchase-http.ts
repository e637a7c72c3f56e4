import { Type } from 'typebox';
import type { Plain } from './plain.ts';
import { problemSchema } from './problem.ts';

const receiptFields = {
  eventId: Type.String({ description: 'Identity of the event, a UUID' }),
  durability: Type.Enum(['kafka', 'queued'], {
    description: '`kafka`: every in-sync replica of the topic has the event. `queued`: the outbox has it until Kafka takes it',
  }),
  topic: Type.Optional(Type.String({ description: 'Topic of the event. Only with `kafka`' })),
  partition: Type.Optional(Type.Integer({ minimum: 0, description: 'Partition of the event. Only with `kafka`' })),
  offset: Type.Optional(Type.String({ pattern: '^[0-9]+$', description: 'Offset of the event, a 64-bit number as text. Only with `kafka`' })),
};

/** Schema of {@link PurchaseReceipt}. */
export const purchaseReceiptSchema = Type.Object(receiptFields, { title: 'PurchaseReceipt', description: 'The place that keeps an accepted purchase.' });

/** Answer to an accepted purchase: the place that keeps it. */
export type PurchaseReceipt = Plain<typeof purchaseReceiptSchema>;

/** Schema of {@link BatchItem}. */
export const batchItemSchema = Type.Object(
  {
    index: Type.Integer({ minimum: 0, description: 'Position in the posted array, from 0' }),
    status: Type.Integer({ description: 'HTTP status that the purchase has alone' }),
    ...receiptFields,
    eventId: Type.Optional(receiptFields.eventId),
    durability: Type.Optional(receiptFields.durability),
    problem: Type.Optional(problemSchema),
  },
  { title: 'BatchItem', description: 'Answer to one purchase of a batch: the fields of a receipt, or a problem.' },
);

/** One item of a batch answer: a receipt or a problem. */
export type BatchItem = Plain<typeof batchItemSchema>;

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
  /** Largest body in bytes. */
  bodyBytesMax: 1024 * 1024,
  /** Maximum number of items in one batch. */
  batchItemsMax: 1000,
} as const;
