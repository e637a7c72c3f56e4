import { Type } from 'typebox';
import { headerNames } from '../headers.ts';
import { purchaseRequestSchema } from '../purchase-event.ts';
import { batchAnswerSchema, purchaseLimits, purchaseReceiptSchema } from '../purchase-http.ts';
import { streams } from '../stream.ts';
import { firehoseAnswerSchema, firehoseErrorSchema } from '../firehose-http.ts';
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

const common = {
  method: 'POST',
  tag: 'Purchases',
  scopes: ['purchases:write'],
  parameters: [deadlineParameter, traceParameter],
} as const;

const amzJson = 'application/x-amz-json-1.1';

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
      answers: [{ status: 202, description: 'The purchase is durable', content: { 'application/json': purchaseReceiptSchema } }],
      problems: [
        'invalid-json',
        'validation',
        'body-too-large',
        'event-too-large',
        'unsupported-media-type',
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
        'Each purchase is checked alone and has its own answer, in the order of the array. 202: at least one was accepted. 400: none was accepted and a retry cannot help. 503: no valid purchase could be stored.',
      body: Type.Array(purchaseRequestSchema, {
        minItems: 1,
        maxItems: purchaseLimits.batchItemsMax,
        description: 'Purchases; PURCHASE_BATCH_ITEMS_MAX sets the limit',
      }),
      answers: [
        { status: 202, description: 'At least one purchase is durable', content: { 'application/json': batchAnswerSchema } },
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
        'overloaded',
        'unavailable',
        'deadline-exceeded',
      ],
    },
    {
      method: 'POST',
      path: '/',
      id: 'putRecords',
      tag: 'Firehose',
      summary: 'Put records with an AWS SDK',
      description: `The operations \`PutRecord\` and \`PutRecordBatch\` of Amazon Data Firehose in its AWS JSON 1.1 protocol, for the delivery streams ${streams.flatMap(({ deliveryStream }) => deliveryStream ?? []).join(', ')}. The data of a record is one purchase as JSON. Where authentication is on, the request carries an AWS Signature Version 4 of an access key of PURCHASE_FIREHOSE_KEYS_FILE.`,
      scopes: 'public',
      parameters: [
        {
          in: 'header',
          name: 'X-Amz-Target',
          description: '`Firehose_20150804.PutRecord` or `Firehose_20150804.PutRecordBatch`',
          schema: Type.String(),
        },
        ...common.parameters,
      ],
      answers: [
        { status: 200, description: 'An answer to each record', content: { [amzJson]: firehoseAnswerSchema } },
        { status: 400, description: 'The request is wrong', content: { [amzJson]: firehoseErrorSchema } },
        { status: 403, description: 'The signature is missing or wrong', content: { [amzJson]: firehoseErrorSchema } },
        { status: 500, description: 'The record was refused', content: { [amzJson]: firehoseErrorSchema } },
        { status: 503, description: 'The record could not be stored', content: { [amzJson]: firehoseErrorSchema } },
      ],
      problems: ['body-too-large', 'unsupported-media-type', 'invalid-json'],
    },
  ],
};
