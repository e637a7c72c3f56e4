import { Type } from 'typebox';
import { streamDetailsSchema } from '../operations/streams-http.ts';
import type { HttpOperation } from './http-api.ts';

const common = { method: 'GET', tag: 'Streams', scopes: ['queries:run', 'admin'] } as const satisfies Partial<HttpOperation>;

/** Routes of the query API that describe the streams. */
export const streamOperations: readonly HttpOperation[] = [
  {
    ...common,
    path: '/v1/streams',
    id: 'describeStreams',
    summary: 'Describe the streams with their schemas',
    description: 'Each stream has its JSON Schema, an example event, and the schemas that its Iceberg table had.',
    answers: [{ status: 200, description: 'The streams', content: { 'application/json': streamDetailsSchema } }],
    problems: [],
  },
  {
    ...common,
    path: '/v1/streams/{name}/asyncapi',
    id: 'getAsyncApi',
    summary: 'Get the AsyncAPI document of a stream',
    parameters: [{ in: 'path', name: 'name', description: 'Name of the stream', schema: Type.String() }],
    answers: [
      {
        status: 200,
        description: 'The AsyncAPI 3 document',
        content: { 'application/json': Type.Record(Type.String(), Type.Unknown(), { description: 'An AsyncAPI document' }) },
      },
    ],
    problems: ['not-found'],
  },
];
