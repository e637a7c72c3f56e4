import { Type, type TSchema } from 'typebox';
import { batchAnswerSchema, eventReceiptSchema, purchaseLimits, streamListSchema } from '../event-http.ts';
import { eventWaySchema } from '../follow-http.ts';
import { firehoseAnswerSchema, firehoseErrorSchema } from '../firehose-http.ts';
import { headerNames, idempotencyKey } from '../headers.ts';
import type { ProblemName } from '../problem.ts';
import { uuidPattern } from '../streams/fields.ts';
import { partitionMax, writeScopeOf, type Stream } from '../streams/stream.ts';
import { streams } from '../streams/streams.ts';
import type { HttpApi, HttpOperation, HttpParameter } from './http-api.ts';

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
    'Makes a repeated request idempotent: the event ids derive from the key, and a repetition gets the first receipt. A different body under the same key is answered 422.',
  schema: Type.String({ pattern: idempotencyKey.pattern }),
};

/** Headers of an answer to a request with an Idempotency-Key. */
const keyHeaders = {
  'Idempotent-Replayed': '`true`: the answer is the receipt of an earlier request under the same Idempotency-Key',
  'Idempotency-Receipt': '`unavailable`: no receipt is kept. A repetition is sent again under the same event ids',
} as const;

const json = 'application/json';
const amzJson = 'application/x-amz-json-1.1';

/** Media type of newline-delimited JSON. */
export const ndjsonMediaType = 'application/x-ndjson';

const postProblems: readonly ProblemName[] = [
  'invalid-json',
  'validation',
  'body-too-large',
  'unsupported-media-type',
  'idempotency-conflict',
  'too-many-requests',
  'overloaded',
  'unavailable',
  'deadline-exceeded',
];

const catalog = { method: 'GET', tag: 'Streams', scopes: [] } as const satisfies Partial<HttpOperation>;

const catalogOperations: readonly HttpOperation[] = [
  {
    ...catalog,
    path: '/v1/streams',
    id: 'listStreams',
    summary: 'List the streams',
    description: 'Each stream has its routes, its topic, its table and the path of its schema. Any authenticated caller may read them.',
    answers: [{ status: 200, description: 'The streams', content: { [json]: streamListSchema } }],
    problems: [],
  },
  {
    ...catalog,
    path: '/v1/streams/{name}/schema',
    id: 'getStreamSchema',
    summary: 'Get the JSON Schema of the events of a stream',
    description:
      'The schema of the values in the topic, JSON Schema 2020-12. A posted event may leave out `eventId` and has no other field.',
    parameters: [{ in: 'path', name: 'name', description: 'Name of the stream', schema: Type.String() }],
    answers: [
      {
        status: 200,
        description: 'The schema',
        content: { 'application/schema+json': Type.Object({}, { additionalProperties: true, description: 'A JSON Schema' }) },
      },
    ],
    problems: ['not-found'],
  },
];

/** The HTTP surface of the purchase API for some streams: three routes for each, and the list of them. */
export function purchaseApiOf(list: readonly Stream[]): HttpApi {
  return {
    title: 'Millrace purchase API',
    description: 'Accepts events and answers when they are durable: in Kafka, or in the outbox on disk while Kafka is down.',
    version: '1.0.0',
    operations: [...list.flatMap(streamOperations), ...catalogOperations, firehoseOperation(list)],
  };
}

/** The HTTP surface of the purchase API. */
export const purchaseApi: HttpApi = purchaseApiOf(streams);

function streamOperations(stream: Stream): HttpOperation[] {
  const { name, title, noun, requestSchema } = stream;
  const nouns = name.replaceAll('-', ' ');
  const common = {
    method: 'POST',
    tag: capitalised(nouns),
    scopes: [writeScopeOf(stream)],
    parameters: [keyParameter, deadlineParameter, traceParameter],
  } as const;
  return [
    {
      ...common,
      path: `/v1/${name}`,
      id: `post${title}`,
      summary: `Post one ${noun}`,
      description: `The answer comes when every in-sync replica of Kafka has the ${noun}, or the outbox on disk while Kafka is down. After 503 or 504, or without an answer, send the ${noun} again under the same \`eventId\`: the sink drops a repeated event within its deduplication window.`,
      body: requestSchema,
      answers: [{ status: 202, description: `The ${noun} is durable`, content: { [json]: eventReceiptSchema }, headers: keyHeaders }],
      problems: [...postProblems, 'event-too-large'],
    },
    {
      ...common,
      path: `/v1/${name}/batch`,
      id: `post${nouns.split(' ').map(capitalised).join('')}`,
      summary: `Post a batch of ${nouns}`,
      description: `Each ${noun} is checked alone and has its own answer, in the order of the request. A line of NDJSON that is not JSON is a rejected item. 202: at least one was accepted. 400: none was accepted and a retry cannot help. 503: no valid ${noun} could be stored.`,
      body: batchSchema(requestSchema, capitalised(nouns)),
      otherBodies: { [ndjsonMediaType]: Type.String({ description: `One ${noun} as JSON in each line; empty lines do not count` }) },
      answers: [
        { status: 202, description: `At least one ${noun} is durable`, content: { [json]: batchAnswerSchema }, headers: keyHeaders },
        { status: 400, description: `No ${noun} was accepted, and a retry cannot help`, content: { [json]: batchAnswerSchema } },
        {
          status: 503,
          description: `No valid ${noun} could be stored`,
          content: { [json]: batchAnswerSchema },
          headers: { 'Retry-After': 'Seconds after which a retry makes sense' },
        },
      ],
      problems: postProblems,
    },
    {
      method: 'GET',
      tag: common.tag,
      scopes: common.scopes,
      path: `/v1/${name}/{eventId}`,
      id: `follow${title}`,
      summary: `Follow one ${noun}`,
      description: `Answers how far the ${noun} has come and when: outbox, Kafka, file of the table, catalog. \`links.self\` of a receipt is this path with the place of the record. Without a place the service searches the topic, within limits, around the time in the event id. When a part does not answer, \`unknown\` names it.`,
      parameters: [
        { in: 'path', name: 'eventId', description: 'Identity of the event, a UUID', schema: Type.String({ pattern: uuidPattern }) },
        {
          in: 'query',
          name: 'partition',
          description: 'Partition of the record. Needs `offset`',
          schema: Type.Integer({ minimum: 0, maximum: partitionMax }),
        },
        {
          in: 'query',
          name: 'offset',
          description: 'Offset of the record. Needs `partition`',
          schema: Type.String({ pattern: '^[0-9]{1,16}$' }),
        },
        deadlineParameter,
      ],
      answers: [{ status: 200, description: `The path of the ${noun}`, content: { [json]: eventWaySchema } }],
      problems: ['not-found', 'too-many-requests', 'overloaded', 'unavailable', 'deadline-exceeded'],
    },
  ];
}

function firehoseOperation(list: readonly Stream[]): HttpOperation {
  const names = list.flatMap(({ deliveryStream }) => deliveryStream ?? []);
  return {
    method: 'POST',
    path: '/',
    id: 'putRecords',
    tag: 'Firehose',
    summary: 'Put records with an AWS SDK',
    description: `The operations \`PutRecord\` and \`PutRecordBatch\` of Amazon Data Firehose in its AWS JSON 1.1 protocol. Delivery streams: ${names.join(', ') || 'none'}. The data of a record is one event as JSON. Where authentication is on, the request carries an AWS Signature Version 4 of an access key of PURCHASE_FIREHOSE_KEYS_FILE.`,
    scopes: 'public',
    parameters: [
      {
        in: 'header',
        name: 'X-Amz-Target',
        description: '`Firehose_20150804.PutRecord` or `Firehose_20150804.PutRecordBatch`',
        schema: Type.String(),
      },
      deadlineParameter,
      traceParameter,
    ],
    answers: [
      { status: 200, description: 'An answer to each record', content: { [amzJson]: firehoseAnswerSchema } },
      { status: 400, description: 'The request is wrong', content: { [amzJson]: firehoseErrorSchema } },
      { status: 403, description: 'The signature is missing or wrong', content: { [amzJson]: firehoseErrorSchema } },
      { status: 500, description: 'The record was refused', content: { [amzJson]: firehoseErrorSchema } },
      { status: 503, description: 'The record could not be stored', content: { [amzJson]: firehoseErrorSchema } },
    ],
    problems: ['body-too-large', 'unsupported-media-type', 'invalid-json', 'deadline-exceeded'],
  };
}

function batchSchema(item: TSchema, items: string): TSchema {
  return Type.Array(item, {
    minItems: 1,
    maxItems: purchaseLimits.batchItemsMax,
    description: `${items}; PURCHASE_BATCH_ITEMS_MAX and PURCHASE_BATCH_BYTES_MAX set the limits`,
  });
}

function capitalised(word: string): string {
  return `${word.charAt(0).toUpperCase()}${word.slice(1)}`;
}
