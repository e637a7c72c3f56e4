import { Type, type TSchema } from 'typebox';
import { changedPipelineSchema, circuitChangeSchema, flowSchema } from '../flow-http.ts';
import { eventWaySchema } from '../follow-http.ts';
import { idempotencyKey } from '../headers.ts';
import {
  callerSchema,
  engineListSchema,
  engineNames,
  inlineQueryViewSchema,
  queryEstimateSchema,
  queryLimits,
  queryListSchema,
  queryStates,
  queryViewSchema,
  reportListSchema,
  reportSchema,
  reportQueryRequestSchema,
  resultLinksSchema,
  resultPageSchema,
  signInSchema,
  sqlQueryRequestSchema,
  tableDetailSchema,
  tableListSchema,
} from '../query-http.ts';
import type { HttpApi, HttpOperation, HttpParameter } from './http-api.ts';
import { ledgerOperations } from './ledger-operations.ts';
import { deadlineParameter } from './purchase-api.ts';
import { streamOperations } from './stream-operations.ts';
import { rejectOperations } from './reject-operations.ts';

const id: HttpParameter = { in: 'path', name: 'id', description: 'Identity of the query', schema: Type.String() };
const limit: HttpParameter = {
  in: 'query',
  name: 'limit',
  description: 'Maximum number of rows of a page. Default: 1,000',
  schema: Type.Integer({ minimum: 1, maximum: queryLimits.pageRowsMax, default: 1000 }),
};
const wait: HttpParameter = {
  in: 'query',
  name: 'wait',
  description: 'Seconds for which the request waits for a final state. Default: 0',
  schema: Type.Integer({ minimum: 0, maximum: queryLimits.waitSecondsMax, default: 0 }),
};
const filter = (name: string, description: string, schema: TSchema = Type.String()): HttpParameter => ({
  in: 'query',
  name,
  description,
  schema,
});
const retryAfter = 'Seconds after which the next request makes sense';
const xCache =
  'Source of the answer: `hit` (a kept result that is still exact), `shared` (the run of an equal query), `miss` (a separate run) or `bypass` (the cache cannot answer it)';
const age = 'Age of a result from the cache, in seconds';
const json = 'application/json';
const binary = Type.String({ format: 'binary' });

const queries = { tag: 'Queries', scopes: ['queries:run', 'admin'] } as const;
const catalog = { method: 'GET', tag: 'Catalog', scopes: ['queries:run'] } as const satisfies Partial<HttpOperation>;

/** The HTTP surface of the query API. */
export const queryApi: HttpApi = {
  title: 'Millrace query API',
  description: 'Runs read-only SQL statements and reports over the landed events.',
  version: '1.0.0',
  operations: [
    {
      ...queries,
      scopes: ['queries:run'],
      method: 'POST',
      path: '/v1/queries',
      id: 'submitQuery',
      summary: 'Submit a statement or a report',
      description:
        'The answer is 202 with the query. With `Prefer: wait=N` the request waits for the end; a query that ends by then is answered 200 with its first page.',
      parameters: [
        {
          in: 'header',
          name: 'Prefer',
          description: `\`wait=N\`: seconds for which the request waits for the end, at most ${queryLimits.waitSecondsMax}`,
          schema: Type.String(),
        },
        {
          in: 'header',
          name: 'Cache-Control',
          description: '`no-cache`: the statement runs. `no-store`: it runs, and its result is not kept either',
          schema: Type.String(),
        },
        {
          in: 'header',
          name: idempotencyKey.name,
          description: 'A repeated request of one principal under the same key is the same query',
          schema: Type.String({ pattern: idempotencyKey.pattern }),
        },
        limit,
        deadlineParameter,
      ],
      body: Type.Union([sqlQueryRequestSchema, reportQueryRequestSchema]),
      answers: [
        {
          status: 200,
          description: 'The query ended while the request waited, or its result was in the cache',
          content: { [json]: inlineQueryViewSchema },
          headers: { Location: 'Path of the query', 'Preference-Applied': 'The wait that was applied', 'X-Cache': xCache, Age: age },
        },
        {
          status: 202,
          description: 'The query is queued or runs',
          content: { [json]: queryViewSchema },
          headers: { Location: 'Path of the query', 'Retry-After': retryAfter, 'X-Cache': xCache },
        },
      ],
      problems: [
        'invalid-json',
        'statement-invalid',
        'statement-not-allowed',
        'body-too-large',
        'unsupported-media-type',
        'idempotency-conflict',
        'scan-limit-exceeded',
        'too-many-requests',
        // A table with too many files for an estimate.
        'engine-failed',
        'deadline-exceeded',
        // A result that is gone between the end of the query and its first page.
        'gone',
      ],
    },
    {
      ...queries,
      scopes: ['queries:run'],
      method: 'POST',
      path: '/v1/queries/estimate',
      id: 'estimateQuery',
      summary: 'Estimate bytes and price of a statement or a report',
      description:
        'Nothing runs. The bytes are those of the columns that the statement names, in the partitions that its conditions allow.',
      parameters: [deadlineParameter],
      body: Type.Union([sqlQueryRequestSchema, reportQueryRequestSchema]),
      answers: [{ status: 200, description: 'The estimate', content: { [json]: queryEstimateSchema } }],
      problems: [
        'invalid-json',
        'statement-invalid',
        'statement-not-allowed',
        'body-too-large',
        'unsupported-media-type',
        'engine-failed',
        'deadline-exceeded',
      ],
    },
    {
      ...queries,
      method: 'GET',
      path: '/v1/queries',
      id: 'listQueries',
      summary: 'List queries, the newest first',
      description:
        'The queries of the caller, or those of every caller for the scope `admin`. A page may have fewer queries than `limit` while more follow.',
      parameters: [
        filter('state', 'Only queries in this state', Type.Enum([...queryStates])),
        filter('engine', 'Only queries of this engine', Type.Enum([...engineNames])),
        filter('report', 'Only queries of this report'),
        filter('text', 'Only queries whose statement contains this text, in any case', Type.String({ minLength: 1, maxLength: 200 })),
        filter('principal', 'Only queries of this subject. For `admin`'),
        filter('from', 'Only queries that were submitted at this time or later, ISO 8601'),
        filter('to', 'Only queries that were submitted at this time or earlier, ISO 8601'),
        filter('limit', 'Maximum number of queries of the page. Default: 50', Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
        filter('cursor', '`next` of the page before. Default: the first page'),
        deadlineParameter,
      ],
      answers: [
        {
          status: 200,
          description: 'One page of queries',
          content: { [json]: queryListSchema },
          headers: { 'Cache-Control': '`private, no-cache`' },
        },
      ],
      problems: ['deadline-exceeded'],
    },
    {
      ...queries,
      method: 'GET',
      path: '/v1/queries/{id}',
      id: 'getQuery',
      summary: 'Read the state of a query',
      parameters: [
        id,
        wait,
        { in: 'header', name: 'If-None-Match', description: 'An `ETag` of an earlier answer', schema: Type.String() },
        deadlineParameter,
      ],
      answers: [
        {
          status: 200,
          description: 'The query in its current state',
          content: { [json]: queryViewSchema },
          headers: { ETag: 'Tag of this state', 'Retry-After': retryAfter },
        },
        { status: 304, description: 'The query has the state of `If-None-Match`' },
      ],
      problems: ['not-found', 'deadline-exceeded'],
    },
    {
      ...queries,
      method: 'GET',
      path: '/v1/queries/{id}/events',
      id: 'followQuery',
      summary: 'Follow the states of a query',
      description:
        'Server-sent events with the query as their data: `state` for each state, and `progress` for each change within one. The stream ends with the query, and when the service stops.',
      parameters: [
        id,
        {
          in: 'header',
          name: 'Last-Event-ID',
          description: '`id` of the last event of an earlier stream: only later events follow',
          schema: Type.String(),
        },
      ],
      answers: [
        { status: 200, description: 'The events', content: { 'text/event-stream': Type.String() } },
        { status: 204, description: 'The query has ended, and `Last-Event-ID` is its last event' },
      ],
      problems: ['not-found'],
    },
    {
      ...queries,
      method: 'DELETE',
      path: '/v1/queries/{id}',
      id: 'cancelQuery',
      summary: 'Cancel a query',
      description: 'A finished query stays unchanged.',
      parameters: [id, deadlineParameter],
      answers: [
        { status: 200, description: 'The query has ended', content: { [json]: queryViewSchema } },
        { status: 202, description: 'The worker ends the query', content: { [json]: queryViewSchema } },
      ],
      problems: ['not-found', 'deadline-exceeded'],
    },
    {
      ...queries,
      method: 'GET',
      path: '/v1/queries/{id}/results',
      id: 'getResults',
      summary: 'Read the result of a query',
      description: '`Accept: application/json` gives one page. Every other media type streams the whole result.',
      parameters: [
        id,
        limit,
        { in: 'query', name: 'cursor', description: '`next` of the page before. Default: the first page', schema: Type.String() },
        { in: 'header', name: 'Accept', description: 'Media type of the result. Default: application/json', schema: Type.String() },
        { in: 'header', name: 'If-None-Match', description: 'An `ETag` of an earlier answer', schema: Type.String() },
        deadlineParameter,
      ],
      answers: [
        {
          status: 200,
          description: 'A page, or the whole result',
          content: {
            [json]: resultPageSchema,
            'application/x-ndjson': Type.String(),
            'text/csv': Type.String(),
            'application/vnd.apache.parquet': binary,
            'application/vnd.apache.arrow.stream': binary,
          },
          headers: { ETag: 'Tag of this page, or of the whole result' },
        },
        { status: 304, description: 'The result is the one of `If-None-Match`' },
      ],
      problems: ['not-found', 'not-acceptable', 'not-finished', 'no-results', 'gone', 'deadline-exceeded'],
    },
    {
      ...queries,
      method: 'GET',
      path: '/v1/queries/{id}/results/links',
      id: 'linkResults',
      summary: 'Get links to the parts of a result on S3',
      description: 'Anyone who has a link reads that part without credentials until the link expires.',
      parameters: [
        id,
        {
          in: 'query',
          name: 'seconds',
          description: `Time for which the links are valid. Default: ${queryLimits.linkSecondsDefault}`,
          schema: Type.Integer({
            minimum: queryLimits.linkSecondsMin,
            maximum: queryLimits.linkSecondsMax,
            default: queryLimits.linkSecondsDefault,
          }),
        },
        { in: 'query', name: 'cursor', description: '`next` of the answer before. Default: the first parts', schema: Type.String() },
        deadlineParameter,
      ],
      answers: [
        {
          status: 200,
          description: `Links to at most ${queryLimits.linksMax} parts`,
          content: { [json]: resultLinksSchema },
          headers: { 'Cache-Control': '`private, no-store`' },
        },
      ],
      problems: ['not-found', 'not-finished', 'no-results', 'gone', 'deadline-exceeded'],
    },
    {
      ...catalog,
      path: '/v1/tables',
      id: 'listTables',
      summary: 'List the tables and their columns',
      answers: [{ status: 200, description: 'The tables', content: { [json]: tableListSchema } }],
      problems: [],
    },
    {
      ...catalog,
      path: '/v1/tables/{name}',
      id: 'getTable',
      summary: 'Read partitions, size and freshness of a table, and some of its rows',
      description: 'Sizes come from the ledger. The state is at most two seconds old.',
      parameters: [
        { in: 'path', name: 'name', description: 'Name of the table', schema: Type.String() },
        {
          in: 'query',
          name: 'sample',
          description: 'Rows of the sample, which a query of the caller on DuckDB reads. Default: 5; 0 asks for none',
          schema: Type.Integer({ minimum: 0, maximum: queryLimits.sampleRowsMax, default: 5 }),
        },
        deadlineParameter,
      ],
      answers: [{ status: 200, description: 'The table', content: { [json]: tableDetailSchema } }],
      problems: ['not-found', 'deadline-exceeded'],
    },
    {
      ...catalog,
      path: '/v1/reports',
      id: 'listReports',
      summary: 'List the reports with their parameters and SQL',
      answers: [{ status: 200, description: 'The reports', content: { [json]: reportListSchema } }],
      problems: [],
    },
    {
      ...catalog,
      path: '/v1/reports/{name}',
      id: 'getReport',
      summary: 'Read a report with its parameters and SQL',
      description: 'Run it with `POST /v1/queries` and `{"report": name, "parameters": {…}}`.',
      parameters: [{ in: 'path', name: 'name', description: 'Name of the report', schema: Type.String() }],
      answers: [{ status: 200, description: 'The report', content: { [json]: reportSchema } }],
      problems: ['not-found'],
    },
    {
      ...catalog,
      path: '/v1/engines',
      id: 'listEngines',
      summary: 'List the engines',
      answers: [{ status: 200, description: 'The engines', content: { [json]: engineListSchema } }],
      problems: [],
    },
    {
      method: 'GET',
      path: '/v1/caller',
      id: 'getCaller',
      tag: 'Caller',
      scopes: [],
      summary: 'Read who the caller is and which scopes it has',
      description: 'Any authenticated caller may ask. While authentication is off, every caller is anonymous and has every scope.',
      answers: [{ status: 200, description: 'The caller', content: { [json]: callerSchema } }],
      problems: [],
    },
    {
      method: 'GET',
      path: '/v1/sign-in',
      id: 'getSignIn',
      tag: 'Caller',
      scopes: 'public',
      summary: 'Read how the console signs its users in',
      answers: [{ status: 200, description: 'The available sign-in methods', content: { [json]: signInSchema } }],
      problems: [],
    },
    {
      method: 'GET',
      path: '/v1/flow',
      id: 'getFlow',
      tag: 'Flow',
      scopes: ['admin'],
      summary: 'Read health, metrics and pipelines of every process',
      description: 'The processes are those of `QUERY_FLOW_PROCESSES`. Each checks the credential of the caller itself.',
      parameters: [deadlineParameter],
      answers: [{ status: 200, description: 'The processes', content: { [json]: flowSchema } }],
      problems: ['deadline-exceeded'],
    },
    {
      method: 'POST',
      path: '/v1/flow/{process}/pipelines/{pipeline}',
      id: 'changeCircuit',
      tag: 'Flow',
      scopes: ['admin'],
      summary: 'Set the mode of a circuit of a process',
      description: 'The change lasts until the process restarts. The log of the query API has the caller and the reason.',
      parameters: [
        { in: 'path', name: 'process', description: 'Name of the process', schema: Type.String() },
        { in: 'path', name: 'pipeline', description: 'Name of the pipeline', schema: Type.String() },
        deadlineParameter,
      ],
      body: circuitChangeSchema,
      answers: [{ status: 200, description: 'The changed pipeline', content: { [json]: changedPipelineSchema } }],
      problems: ['invalid-json', 'not-found', 'body-too-large', 'unsupported-media-type', 'deadline-exceeded'],
    },
    {
      method: 'GET',
      path: '/v1/events/{eventId}',
      id: 'getEvent',
      tag: 'Flow',
      scopes: [],
      summary: 'Follow an event from its acceptance to its row',
      description: 'The answer is that of the purchase API, which checks the scope of the stream.',
      parameters: [
        { in: 'path', name: 'eventId', description: 'Identity of the event, a UUID', schema: Type.String() },
        filter('stream', 'Stream of the event. Default: the first one'),
        filter('partition', 'Partition of the receipt', Type.Integer({ minimum: 0, maximum: 999_999 })),
        filter('offset', 'Offset of the receipt', Type.String({ pattern: '^[0-9]{1,16}$' })),
        deadlineParameter,
      ],
      answers: [{ status: 200, description: 'The path of the event', content: { [json]: eventWaySchema } }],
      problems: ['not-found', 'deadline-exceeded'],
    },
    ...streamOperations,
    ...rejectOperations,
    ...ledgerOperations,
    {
      method: 'POST',
      path: '/mcp',
      id: 'callTools',
      tag: 'Tools',
      scopes: ['queries:run'],
      summary: 'Call the tools of the query API by the Model Context Protocol',
      description: 'Streamable HTTP without sessions: each request is one JSON-RPC message. docs/mcp.md names the tools and their limits.',
      parameters: [deadlineParameter],
      body: Type.Object({}, { additionalProperties: true, description: 'One JSON-RPC message' }),
      answers: [
        {
          status: 200,
          description: 'The JSON-RPC response. The error of a tool is part of it',
          content: { [json]: Type.Object({}, { additionalProperties: true }), 'text/event-stream': Type.String() },
        },
        { status: 202, description: 'The notification was accepted' },
      ],
      problems: ['invalid-json', 'not-acceptable', 'body-too-large', 'unsupported-media-type', 'deadline-exceeded'],
    },
  ],
};
