import { Type } from 'typebox';
import { headerNames, idempotencyKey } from '../headers.ts';
import { purchaseRequestSchema } from '../purchase-event.ts';
import { batchAnswerSchema, purchaseLimits, purchaseReceiptSchema } from '../purchase-http.ts';
import type { HttpApi, HttpParameter } from './http-api.ts';

/** The header that ends the work for a request. */
export const deadlineParameter: HttpParameter = {
  in: 'header',
  name: headerNames.deadline,
  description:
    'Time in milliseconds since 1970 after which the client no longer waits. The service starts no work for the request after it.',
  schema: Type.String({ pattern: '^[0-9]+$' }),
};

const traceParameter: HttpParameter = {
  in: 'header',
  name: headerNames.traceparent,
  description: 'W3C trace context. The event carries it to the topic. Without a valid one a new trace begins.',
  schema: Type.String(),
};

const keyParameter: HttpParameter = {
  in: 'header',
  name: idempotencyKey.name,
  description:
    'Makes a repeated request the same request: the key gives the event ids, and a repetition gets the first receipt. Another body under the key is 422.',
  schema: Type.String({ pattern: idempotencyKey.pattern }),
};

/** Headers of an answer to a request with an Idempotency-Key. */
const keyHeaders = {
  'Idempotent-Replayed': '`true`: the answer is the receipt of an earlier request under the same Idempotency-Key',
  'Idempotency-Receipt': '`unavailable`: no receipt is kept. A repetition is sent again under the same event ids',
} as const;

const common = {
  method: 'POST',
  tag: 'Purchases',
  scopes: ['purchases:write'],
  parameters: [keyParameter, deadlineParameter, traceParameter],
} as const;

/** Media type of newline-delimited JSON. */
export const ndjsonMediaType = 'application/x-ndjson';

/** The HTTP surface of the purchase API. */
export const purchaseApi: HttpApi = {
  title: 'Millrace purchase API',
  description: 'Accepts purchases and answers when they are durable: in Kafka, or in the outbox on disk while Kafka is down.',
  version: '1.0.0',
  operations: [
    {
      ...common,
      path: '/v1/purchases',
      id: 'postPurchase',
      summary: 'Post one purchase',
      description:
        'The answer comes when every in-sync replica of Kafka has the purchase, or the outbox on disk while Kafka is down. After 503 or 504, or without an answer, send the purchase again under the same `eventId`: the sink drops a repeated event within its deduplication window.',
      body: purchaseRequestSchema,
      answers: [
        {
          status: 202,
          description: 'The purchase is durable',
          content: { 'application/json': purchaseReceiptSchema },
          headers: keyHeaders,
        },
      ],
      problems: [
        'invalid-json',
        'validation',
        'body-too-large',
        'event-too-large',
        'unsupported-media-type',
        'idempotency-conflict',
        'too-many-requests',
        'overloaded',
        'unavailable',
        'deadline-exceeded',
      ],
    },
    {
      ...common,
      path: '/v1/purchases/batch',
      id: 'postPurchases',
      summary: 'Post a batch of purchases',
      description:
        'Each purchase is checked alone and has its own answer, in the order of the request. A line of NDJSON that is not JSON is a rejected item. 202: at least one was accepted. 400: none was accepted and a retry cannot help. 503: no valid purchase could be stored.',
      body: Type.Array(purchaseRequestSchema, {
        minItems: 1,
        maxItems: purchaseLimits.batchItemsMax,
        description: 'Purchases; PURCHASE_BATCH_ITEMS_MAX and PURCHASE_BATCH_BYTES_MAX set the limits',
      }),
      otherBodies: { [ndjsonMediaType]: Type.String({ description: 'One purchase as JSON in each line; empty lines do not count' }) },
      answers: [
        {
          status: 202,
          description: 'At least one purchase is durable',
          content: { 'application/json': batchAnswerSchema },
          headers: keyHeaders,
        },
        {
          status: 400,
          description: 'No purchase was accepted, and a retry cannot help',
          content: { 'application/json': batchAnswerSchema },
        },
        {
          status: 503,
          description: 'No valid purchase could be stored',
          content: { 'application/json': batchAnswerSchema },
          headers: { 'Retry-After': 'Seconds after which a retry makes sense' },
        },
      ],
      problems: [
        'invalid-json',
        'validation',
        'body-too-large',
        'unsupported-media-type',
        'idempotency-conflict',
        'too-many-requests',
        'overloaded',
        'unavailable',
        'deadline-exceeded',
      ],
    },
  ],
};
