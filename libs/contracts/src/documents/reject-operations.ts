import { Type } from 'typebox';
import {
  redriveAnswerSchema,
  redriveRequestSchema,
  rejectDetailSchema,
  rejectLimits,
  rejectListSchema,
} from '../operations/rejects-http.ts';
import type { HttpOperation, HttpParameter } from './http-api.ts';
import { deadlineParameter } from './purchase-api.ts';

const json = 'application/json';
const common = { tag: 'Rejects', scopes: ['admin'] } as const satisfies Partial<HttpOperation>;

const stream: HttpParameter = {
  in: 'query',
  name: 'stream',
  description: 'Stream of the rejects. Default: the first one',
  schema: Type.String(),
};
const query = (name: string, description: string, schema: HttpParameter['schema'] = Type.String()): HttpParameter => ({
  in: 'query',
  name,
  description,
  schema,
});

/** Routes of the query API to see and to redrive records that broke the contract. */
export const rejectOperations: readonly HttpOperation[] = [
  {
    ...common,
    method: 'GET',
    path: '/v1/rejects',
    id: 'listRejects',
    summary: 'List records that broke the contract, by reason and time',
    description:
      'The rejects of the newest reject files, within limits of files and bytes. `filesRead` of `filesTotal` says how much the answer covers; `cursor` continues.',
    parameters: [
      stream,
      query('partition', 'Only rejects of this partition', Type.Integer({ minimum: 0, maximum: 999_999 })),
      query('reason', 'Only rejects with exactly this reason. `reasons` and `buckets` count all of them'),
      query('from', 'Only rejects that Kafka received at this time or later, ISO 8601'),
      query('to', 'Only rejects that Kafka received at this time or earlier, ISO 8601'),
      query(
        'limit',
        `Maximum number of rejects of the page. Default: ${rejectLimits.pageRejectsDefault}`,
        Type.Integer({ minimum: 1, maximum: rejectLimits.pageRejectsMax, default: rejectLimits.pageRejectsDefault }),
      ),
      query('cursor', '`next` of the page before. Default: the first page'),
      deadlineParameter,
    ],
    answers: [{ status: 200, description: 'One page of rejects', content: { [json]: rejectListSchema } }],
    problems: ['deadline-exceeded'],
  },
  {
    ...common,
    method: 'GET',
    path: '/v1/rejects/{partition}/{offset}',
    id: 'getReject',
    summary: 'Read a record that broke the contract',
    parameters: [
      { in: 'path', name: 'partition', description: 'Partition of the record', schema: Type.Integer({ minimum: 0, maximum: 999_999 }) },
      { in: 'path', name: 'offset', description: 'Offset of the record', schema: Type.String({ pattern: '^[0-9]{1,16}$' }) },
      stream,
      deadlineParameter,
    ],
    answers: [{ status: 200, description: 'The record', content: { [json]: rejectDetailSchema } }],
    problems: ['not-found', 'deadline-exceeded'],
  },
  {
    ...common,
    method: 'POST',
    path: '/v1/rejects/redrive',
    id: 'redriveRejects',
    summary: 'Plan a redrive of rejects, or produce their events',
    description:
      'Without `apply` nothing is produced. An event that is a row, or waits in the topic, is not produced again, so a repeated redrive makes no second row. One redrive runs at a time.',
    parameters: [deadlineParameter],
    body: redriveRequestSchema,
    answers: [{ status: 200, description: 'The plan or the result', content: { [json]: redriveAnswerSchema } }],
    problems: ['invalid-json', 'body-too-large', 'unsupported-media-type', 'overloaded', 'deadline-exceeded'],
  },
];
