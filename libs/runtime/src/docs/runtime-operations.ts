import type { HttpOperation } from '@millrace/contracts';
import { Type } from 'typebox';
import { anyChangeSchema } from '../pipelines/admin/pipeline-change.ts';
import { livenessSchema, readinessSchema } from '../health/readiness.ts';

const json = 'application/json';
const pipelineSchema = Type.Object(
  {
    name: Type.String({ description: 'Name of the pipeline' }),
    dependency: Type.String({ description: 'Name of the dependency that it calls' }),
    settings: Type.Object({}, { additionalProperties: true, description: 'Settings in force, with all defaults' }),
    snapshot: Type.Object({}, { additionalProperties: true, description: 'State of the circuit, counts and times' }),
  },
  { title: 'Pipeline', description: 'The policies around one dependency. docs/resilience.md explains each setting.' },
);
const pipelinesSchema = Type.Object(
  {
    pipelines: Type.Array(pipelineSchema),
    attemptsPerRequest: Type.Optional(
      Type.Object(
        { limit: Type.Integer({ minimum: 1 }), paths: Type.Array(Type.Object({}, { additionalProperties: true })) },
        { description: 'Attempts that one request can cost, by call path. Absent when the service declares no call paths' },
      ),
    ),
  },
  { title: 'PipelineList', description: 'All pipelines of the service.' },
);
const name = { in: 'path', name: 'name', description: 'Name of the pipeline', schema: Type.String() } as const;

const health = { method: 'GET', tag: 'Health', scopes: 'public' } as const satisfies Partial<HttpOperation>;
const operator = { tag: 'Operation', scopes: ['admin'] } as const satisfies Partial<HttpOperation>;
const documents = { method: 'GET', tag: 'Documents', scopes: 'public', problems: [] } as const satisfies Partial<HttpOperation>;

/** The routes that every service has. */
export const runtimeOperations: readonly HttpOperation[] = [
  {
    ...health,
    path: '/health/live',
    id: 'getLiveness',
    summary: 'Report whether the process is alive',
    answers: [{ status: 200, description: 'The process is alive', content: { [json]: livenessSchema } }],
    problems: [],
  },
  {
    ...health,
    path: '/health/ready',
    id: 'getReadiness',
    summary: 'Report whether the service accepts work, and the state of each dependency',
    answers: [
      { status: 200, description: 'The service takes work', content: { [json]: readinessSchema } },
      { status: 503, description: 'The service takes no work', content: { [json]: readinessSchema } },
    ],
    problems: [],
  },
  {
    ...operator,
    method: 'GET',
    path: '/metrics',
    id: 'getMetrics',
    summary: 'Read the metrics in the text format of Prometheus',
    answers: [{ status: 200, description: 'The metrics', content: { 'text/plain': Type.String() } }],
    problems: [],
  },
  {
    ...operator,
    method: 'GET',
    path: '/admin/pipelines',
    id: 'listPipelines',
    summary: 'List the pipelines with settings and state',
    answers: [{ status: 200, description: 'The pipelines', content: { [json]: pipelinesSchema } }],
    problems: [],
  },
  {
    ...operator,
    method: 'GET',
    path: '/admin/pipelines/{name}',
    id: 'getPipeline',
    summary: 'Read one pipeline',
    parameters: [name],
    answers: [{ status: 200, description: 'The pipeline', content: { [json]: pipelineSchema } }],
    problems: ['not-found'],
  },
  {
    ...operator,
    method: 'PATCH',
    path: '/admin/pipelines/{name}',
    id: 'changePipeline',
    summary: 'Change settings of a pipeline until the service restarts',
    description:
      'A change is applied completely or not at all. `mode` controls the circuit: `auto`, `forced-open`, `forced-closed` or `disabled`.',
    parameters: [name],
    body: {
      ...anyChangeSchema,
      title: 'PipelineChange',
      description:
        'Any part of the settings of the pipeline, and `mode`. Other fields are refused, and policies that the pipeline does not have',
    },
    answers: [{ status: 200, description: 'The changed pipeline', content: { [json]: pipelineSchema } }],
    problems: ['invalid-json', 'validation', 'not-found', 'body-too-large', 'unsupported-media-type'],
  },
  {
    ...operator,
    method: 'GET',
    path: '/hystrix.stream',
    id: 'streamPipelines',
    summary: "Stream the state of the pipelines as server-sent events in Hystrix's field names",
    answers: [
      { status: 200, description: 'One event for each pipeline every half second', content: { 'text/event-stream': Type.String() } },
    ],
    problems: [],
  },
  {
    ...documents,
    path: '/openapi.json',
    id: 'getOpenApi',
    summary: 'Read this document',
    answers: [
      { status: 200, description: 'An OpenAPI 3.1 document', content: { [json]: Type.Object({}, { additionalProperties: true }) } },
    ],
  },
  {
    ...documents,
    path: '/docs',
    id: 'getDocs',
    summary: 'Read this document as a page',
    answers: [{ status: 200, description: 'A page of HTML without scripts', content: { 'text/html': Type.String() } }],
  },
];
