import { Type, type TSchema } from 'typebox';
import { batchAnswerSchema, eventReceiptSchema, purchaseLimits, streamListSchema } from '../event-http.ts';
import { headerNames } from '../headers.ts';
import type { ProblemName } from '../problem.ts';
import { writeScopeOf, type Stream } from '../streams/stream.ts';
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

const json = 'application/json';

const postProblems: readonly ProblemName[] = [
  'invalid-json',
  'validation',
  'body-too-large',
  'unsupported-media-type',
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

/** The HTTP surface of the purchase API for some streams: two routes for each, and the list of them. */
export function purchaseApiOf(list: readonly Stream[]): HttpApi {
  return {
    title: 'Millrace purchase API',
    description: 'Accepts events and answers when they are durable: in Kafka, or in the outbox on disk while Kafka is down.',
    version: '1.0.0',
    operations: [...list.flatMap(streamOperations), ...catalogOperations],
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
    parameters: [deadlineParameter, traceParameter],
  } as const;
  return [
    {
      ...common,
      path: `/v1/${name}`,
      id: `post${title}`,
      summary: `Post one ${noun}`,
      description: `The answer comes when every in-sync replica of Kafka has the ${noun}, or the outbox on disk while Kafka is down. After 503 or 504, or without an answer, send the ${noun} again under the same \`eventId\`: the sink drops a repeated event within its deduplication window.`,
      body: requestSchema,
      answers: [{ status: 202, description: `The ${noun} is durable`, content: { [json]: eventReceiptSchema } }],
      problems: [...postProblems, 'event-too-large'],
    },
    {
      ...common,
      path: `/v1/${name}/batch`,
      id: `post${nouns.split(' ').map(capitalised).join('')}`,
      summary: `Post a batch of ${nouns}`,
      description: `Each ${noun} is checked alone and has its own answer, in the order of the array. 202: at least one was accepted. 400: none was accepted and a retry cannot help. 503: no valid ${noun} could be stored.`,
      body: batchSchema(requestSchema, capitalised(nouns)),
      answers: [
        { status: 202, description: `At least one ${noun} is durable`, content: { [json]: batchAnswerSchema } },
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
  ];
}

function batchSchema(item: TSchema, items: string): TSchema {
  return Type.Array(item, {
    minItems: 1,
    maxItems: purchaseLimits.batchItemsMax,
    description: `${items}; PURCHASE_BATCH_ITEMS_MAX sets the limit`,
  });
}

function capitalised(word: string): string {
  return `${word.charAt(0).toUpperCase()}${word.slice(1)}`;
}
