import { InvalidRequestException } from '@aws-sdk/client-athena';
import { classOfLakeError, LakeError, remedyOfAwsError } from '@millrace/lake';
import { classifyError, DeadlineExceededError, type ErrorClass, type Pipeline, type PipelineSpec } from '@millrace/resilience';
import { pipelineSpecs, type CallPath, type NamedDefaults, type PipelineRegistry, type PipelinesOptions } from '@millrace/runtime';
import { queryLimits } from '@millrace/contracts';
import { triesOfRead } from './engines/duckdb/s3-reads.ts';
import { isOutOfReach, QueryError, SandboxNotStarted, Throttled } from './errors.ts';
import type { CallGuard, GuardedCall, Guards } from './guards.ts';
import type { ReportAnswer } from './queries/report-answers.ts';
import { redisRemedy, RedisRefused } from './redis-refusals.ts';

/** A query has its own time limit, and the pipelines around whole queries never cut it short. */
const wholeQuery = { attemptMs: queryLimits.timeoutMsMax, totalMs: queryLimits.timeoutMsMax };

/** Every pipeline of the query API and of its worker, with the defaults of its settings. */
export const queryPipelines = {
  // Every request to the API: sheds the least important requests when the process is overloaded. Requests have separate time limits; this
  // one only ends the counting of a request whose connection never closes.
  http: { timeout: wholeQuery, shed: {}, fixed: ['timeout'] },
  redis: {
    timeout: { connectMs: 1000, attemptMs: 2000, totalMs: 5000 },
    retry: { attemptsMax: 2, baseMs: 50, waitMsMax: 500 },
    breaker: { minimumCalls: 10, breakDurationMs: 2000, breakDurationMsMax: 15_000 },
    bulkhead: { concurrencyMax: 100, queueMax: 500, queueWaitMsMax: 500 },
    classify: errorClassOf,
  },
  s3: {
    timeout: { connectMs: 2000, attemptMs: 10_000, totalMs: 30_000 },
    retry: { attemptsMax: 3 },
    breaker: { minimumCalls: 10 },
    bulkhead: { concurrencyMax: 50, queueMax: 500, queueWaitMsMax: 10_000 },
    classify: errorClassOf,
  },
  glue: {
    timeout: { connectMs: 2000, attemptMs: 10_000, totalMs: 30_000 },
    retry: { attemptsMax: 3 },
    breaker: { minimumCalls: 5 },
    bulkhead: { concurrencyMax: 10, queueMax: 100, queueWaitMsMax: 5000 },
    classify: errorClassOf,
  },
  athena: {
    timeout: { connectMs: 2000, attemptMs: 10_000, totalMs: 30_000 },
    retry: { attemptsMax: 3 },
    breaker: { minimumCalls: 10 },
    bulkhead: { concurrencyMax: 50, queueMax: 100, queueWaitMsMax: 5000 },
    classify: errorClassOf,
  },
  // Every call may be repeated: Trino runs a statement when its first answer is followed, and gives its last answer again. An answer takes
  // up to a second while a statement runs.
  trino: {
    timeout: { attemptMs: 15_000, totalMs: 40_000 },
    retry: { attemptsMax: 3 },
    breaker: { minimumCalls: 10 },
    bulkhead: { concurrencyMax: 50, queueMax: 100, queueWaitMsMax: 5000 },
    classify: errorClassOf,
  },
  // Rows cannot be taken back, so a statement is not retried. DuckDB itself retries a read. A statement whose read is never answered
  // counts as a failure only after all retries. Few statements run at once, so the window is long and few calls suffice.
  'duckdb-reads': {
    dependency: 's3',
    timeout: wholeQuery,
    breaker: { windowMs: 60_000, minimumCalls: 3, slowCallMs: queryLimits.timeoutMsMax, slowCallRatio: 2 },
    bulkhead: { concurrencyMax: 64 },
    classify: errorClassOf,
  },
  // While its engine or its data cannot be reached, a report gets its last good answer, marked with its age.
  report: {
    dependency: 'engines',
    timeout: wholeQuery,
    cache: { freshMs: 0, staleMsMax: 86_400_000, entriesMax: 200, coalesce: false, isCacheable: isKept },
    fallbacks: [{ kind: 'cache', when: isOutOfReach }],
    classify: errorClassOf,
  },
  // Checks whether a kept result is still exact. Without an answer the statement runs, so there are no retries.
  'lake-version': {
    dependency: 's3',
    timeout: { attemptMs: 2000, totalMs: 2000 },
    breaker: { minimumCalls: 5, breakDurationMs: 2000, breakDurationMsMax: 15_000, probes: 1 },
    bulkhead: { concurrencyMax: 20 },
    fallbacks: [{ kind: 'stub', value: () => undefined }],
    classify: errorClassOf,
  },
  // References to kept results. A statement waits for them and does not need them, so there are no retries.
  cache: {
    dependency: 'redis',
    timeout: { attemptMs: 500, totalMs: 1000 },
    breaker: { minimumCalls: 3, breakDurationMs: 2000, breakDurationMsMax: 15_000, probes: 1 },
    bulkhead: { concurrencyMax: 100 },
    classify: errorClassOf,
  },
  // The usage of a report is optional: writing it may fail silently, and the list of reports works without it. The list waits for the
  // reading, so the reading has a circuit; nothing waits for the writing.
  'usage-write': {
    dependency: 'redis',
    timeout: { attemptMs: 500, totalMs: 1000 },
    bulkhead: { concurrencyMax: 20 },
    fallbacks: [{ kind: 'silent' }],
  },
  'usage-read': {
    dependency: 'redis',
    timeout: { attemptMs: 500, totalMs: 1000 },
    breaker: { minimumCalls: 3, breakDurationMs: 2000, breakDurationMsMax: 15_000, probes: 1 },
    bulkhead: { concurrencyMax: 20 },
    fallbacks: [{ kind: 'stub', value: () => ({}) }],
  },
  // A redrive from its check to its last event. It reads the waiting events of the topic and the footers of the table, and waits for each
  // acknowledgement. The operator repeats it; two at the same time could produce an event twice.
  redrive: {
    dependency: 'kafka',
    timeout: { attemptMs: 120_000, totalMs: 120_000 },
    bulkhead: { concurrencyMax: 1 },
    classify: errorClassOf,
  },
  // Requests to the other processes of Millrace, for the picture of the flow. Each is a separate dependency, so they share no circuit: one
  // that is down would hide all others. The picture is refreshed soon, so there are no retries.
  processes: {
    timeout: { attemptMs: 4000, totalMs: 4000 },
    bulkhead: { concurrencyMax: 150 },
  },
} as const satisfies NamedDefaults;

type Name = keyof typeof queryPipelines;

/** The pipelines of each process. */
const namesOf = {
  api: ['http', 'redis', 's3', 'glue', 'lake-version', 'cache', 'usage-write', 'usage-read', 'redrive', 'processes'],
  worker: ['redis', 's3', 'glue', 'athena', 'trino', 'duckdb-reads', 'lake-version', 'cache', 'report'],
} as const satisfies Record<string, readonly Name[]>;

/** One of the two processes. */
export type QueryRoot = keyof typeof namesOf;

/** The settings that the pipelines read. `config.ts` imports this file for their schema, so its type cannot be named here. */
export interface QueryPipelineSettings extends Readonly<Record<string, unknown>> {
  readonly QUERY_ATTEMPTS_PER_REQUEST_MAX: number;
  readonly QUERY_TAKEOVERS_MAX: number;
}

/** The pipelines of one process. */
export function pipelinesOf(config: QueryPipelineSettings, root: QueryRoot): PipelinesOptions {
  const specs = specsOf(config);
  return {
    specs: Object.fromEntries(namesOf[root].map((name) => [name, specs[name]])),
    callPaths: root === 'api' ? apiPaths : workerPaths(config.QUERY_TAKEOVERS_MAX + 1),
    attemptsPerRequestMax: config.QUERY_ATTEMPTS_PER_REQUEST_MAX,
    remedyOf,
  };
}

/** The specs with the settings of the environment. */
export function specsOf(config: QueryPipelineSettings): Readonly<Record<Name, PipelineSpec>> {
  return pipelineSpecs('QUERY', queryPipelines, config);
}

/** The guards of one process; a dependency that it does not have cannot be called. */
export function guardsOver(registry: Pick<PipelineRegistry, 'find'>): Guards {
  const guard = (name: Name): CallGuard => guardOver(name, registry.find(name));
  return {
    redis: guard('redis'),
    s3: guard('s3'),
    glue: guard('glue'),
    athena: guard('athena'),
    trino: guard('trino'),
    duckdbReads: guard('duckdb-reads'),
  };
}

function guardOver(name: Name, pipeline: Pipeline | undefined): CallGuard {
  return async <T>({ operation, idempotent, signal, deadline }: GuardedCall, run: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    if (pipeline === undefined) throw new TypeError(`This process has no pipeline ${name}.`);
    try {
      // These pipelines have no fallbacks, so the answer comes from the work.
      return (await pipeline.execute(async ({ signal: attempt }) => await run(attempt), {
        key: operation,
        idempotent,
        signal,
        deadline,
      })) as T;
    } catch (error) {
      if (error instanceof DeadlineExceededError && !hasPassed(deadline))
        throw new QueryError('unavailable', `The time of a call to ${name} was over before it began.`, {
          retryAfterSeconds: 1,
          cause: error,
        });
      throw error;
    }
  };
}

/** Maximum time by which a timer of a pipeline fires before its end by the wall clock, in milliseconds. */
const timerEarlyMsMax = 20;

/** Whether the deadline of the caller has passed. Otherwise the total time of the pipeline ended the call. */
function hasPassed(deadline: number | undefined): boolean {
  return deadline !== undefined && Date.now() >= deadline - timerEarlyMsMax;
}

const ioredis = { name: 'ioredis', attemptsMax: 1 };
const fetchLayer = { name: 'fetch', attemptsMax: 1 };
const sdk = { name: 'AWS SDK', attemptsMax: 1 };

// The number of polls of a wait and of parts of a download depends on the request. Each such call is counted alone, as its text says.
const apiPaths: readonly CallPath[] = [
  {
    request: 'POST /v1/queries without its wait (secret of ids, read, read the leader, count or follow, add or read, read again)',
    layers: ['redis', ioredis],
    calls: 6,
  },
  { request: 'POST /v1/queries: its kept result (find, renew or forget, lead, release)', layers: ['cache', ioredis], calls: 4 },
  { request: 'an estimate: each page of partitions', layers: ['glue', sdk] },
  { request: 'an estimate: each list and each footer', layers: ['s3', sdk] },
  { request: 'POST /v1/queries: the size of a kept result', layers: ['s3', sdk] },
  { request: 'POST /v1/queries: the state of each table', layers: ['lake-version', sdk] },
  { request: 'POST /v1/queries of a report: counting it', layers: ['usage-write', ioredis] },
  { request: 'each poll of a wait (Prefer: wait, ?wait)', layers: ['redis', ioredis] },
  { request: 'GET /v1/queries/:id or its results, without the wait (one read)', layers: ['redis', ioredis] },
  { request: 'DELETE /v1/queries/:id (read, request the cancel, read again)', layers: ['redis', ioredis], calls: 3 },
  { request: 'a page of results, alone or in the answer to a POST that waited (manifest and one part)', layers: ['s3', sdk], calls: 2 },
  { request: 'a download of results: its manifest, and each of its parts', layers: ['s3', sdk] },
  { request: 'GET /v1/reports, or one report', layers: ['usage-read', ioredis] },
  { request: 'GET /v1/tables/:name: each list, checkpoint, entry and manifest', layers: ['s3', sdk] },
  { request: 'GET /v1/tables/:name: each page of partitions', layers: ['glue', sdk] },
  { request: 'GET /v1/tables/:name: its sample, as POST /v1/queries', layers: ['redis', ioredis], calls: 6 },
  { request: 'GET /v1/flow: each of three requests to each process', layers: ['processes'] },
  { request: 'GET /v1/events/:eventId, or a change of a circuit', layers: ['processes'] },
  { request: 'GET /v1/rejects: each list and each file', layers: ['s3', sdk] },
  { request: 'POST /v1/rejects/redrive', layers: ['redrive'] },
  { request: 'GET /v1/streams: each newest commit and its metadata', layers: ['s3', sdk] },
  { request: 'GET /v1/tables/:name/ledger: each list and each entry', layers: ['s3', sdk] },
  { request: 'POST /v1/tables/:name/audit: each list, entry and footer', layers: ['s3', sdk] },
  { request: 'POST /v1/tables/:name/audit: each page of partitions', layers: ['glue', sdk] },
  { request: 'a probe of readiness', layers: ['redis', ioredis] },
  { request: 'a probe of readiness', layers: ['s3', sdk] },
];

/**
 * A query is run again when its worker dies; this lists each of its calls. BullMQ's own commands (taking a query, its lock, its end) cannot
 * be counted: their connection repeats them until Redis is back.
 */
function workerPaths(runsMax: number): readonly CallPath[] {
  const runs = { name: 'workers', attemptsMax: runsMax };
  return [
    {
      request: 'a query: counting its bytes, each poll for a request to cancel it, each attempt to save its progress or to hand it over',
      layers: [runs, 'redis', ioredis],
    },
    { request: 'a query: each page of partitions', layers: [runs, 'glue', sdk] },
    { request: 'a query: the state of each table, before and after', layers: [runs, 'lake-version', sdk], calls: 2 },
    { request: 'a query: keeping its result for later ones, or finding an earlier answer of its report', layers: [runs, 'cache', ioredis] },
    { request: 'a query: each list, each part of its result, its manifest, the credentials for DuckDB', layers: [runs, 's3', sdk] },
    { request: 'a query: its start, each poll and each page in Athena', layers: [runs, 'athena', sdk] },
    { request: 'a query: the turn of each poll in Athena', layers: [runs, 'redis', ioredis] },
    { request: 'a query: its start and each poll in Trino', layers: [runs, 'trino', fetchLayer] },
    { request: 'a query: each read of a file by DuckDB', layers: [runs, 'duckdb-reads', { name: 'DuckDB', attemptsMax: triesOfRead }] },
    { request: 'a crawl: each list and each footer', layers: ['s3', sdk] },
    { request: 'a crawl: each read of a table or its partitions, and each change', layers: ['glue', sdk] },
    { request: 'a probe of readiness', layers: ['redis', ioredis] },
    { request: 'a probe of readiness: each poll of its statement', layers: ['trino', fetchLayer] },
    ...['s3', 'glue', 'athena'].map((name) => ({ request: 'a probe of readiness', layers: [name, sdk] })),
  ];
}

/** A report's answer that is too large is not kept, so that it is not offered as a replacement. */
function isKept(answer: unknown): boolean {
  return (answer as ReportAnswer).kept !== undefined;
}

/** The remedy for an error that does not pass by itself; undefined for all others. */
export function remedyOf(error: unknown): string | undefined {
  if (error instanceof RedisRefused) return redisRemedy;
  return remedyOfAwsError(error instanceof QueryError ? error.cause : error);
}

function errorClassOf(error: unknown): ErrorClass {
  if (error instanceof SandboxNotStarted) return 'rejected';
  // A dependency that refuses is healthy: an open circuit would only hide its answer.
  if (remedyOf(error) !== undefined) return 'invalid';
  if (error instanceof QueryError) return isOutOfReach(error) ? 'transient' : 'invalid';
  if (error instanceof Throttled) return 'throttled';
  if (error instanceof LakeError) return classOfLakeError(error);
  if (error instanceof InvalidRequestException) return 'invalid';
  return classifyError(error);
}
