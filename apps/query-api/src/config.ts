import { givenKafkaSettings, kafkaPrefixes, kafkaProblems, optionalKafkaSettings } from '@millrace/kafka/access';
import { lakePrefix, lakeSettings } from '@millrace/lake/settings';
import { purchases, queryLimits, type EngineName, type LayoutName } from '@millrace/contracts';
import { crawlPolicies } from '@millrace/lake';
import { keyNameOf, redisPrefixes, redisProblems, redisSettings, redisUrlPattern } from '@millrace/redis';
import {
  attemptsSetting,
  authPrefix,
  authSettings,
  drainPrefix,
  drainSettings,
  logSettings,
  pipelineProblems,
  pipelineSettings,
  readConfig,
} from '@millrace/runtime';
import { Type, type Static, type TLiteral, type TUnion } from 'typebox';
import { consoleProblems } from './console/console-settings.ts';
import { readMsMax, triesOfRead } from './engines/duckdb/s3-reads.ts';
import { processAddressPattern } from './flow/process-address.ts';
import { queryPipelines, specsOf } from './resilience.ts';

/** Engines that this version has. */
const engineSchema = [Type.Literal('duckdb'), Type.Literal('athena'), Type.Literal('trino')] as const satisfies TLiteral<EngineName>[];

function layoutOf(standard: LayoutName, description: string): TUnion<TLiteral<LayoutName>[]> {
  return Type.Union([Type.Literal('base'), Type.Literal('iceberg')], { default: standard, description });
}

/** Every setting; docs/settings.md is checked against it. */
export const queryConfigSchema = Type.Object({
  QUERY_HOST: Type.String({ default: '127.0.0.1', minLength: 1, description: 'Address to listen on' }),
  QUERY_PORT: Type.Integer({ default: 3003, minimum: 0, maximum: 65_535, description: 'Port of the query API' }),
  QUERY_WORKER_PORT: Type.Integer({ default: 3004, minimum: 0, maximum: 65_535, description: "Port of the worker's health and metrics" }),
  QUERY_ENGINES: Type.Array(Type.Union([...engineSchema]), {
    default: ['duckdb', 'athena'],
    minItems: 1,
    uniqueItems: true,
    description: 'Engines that statements may run on',
  }),
  QUERY_DEFAULT_ENGINE: Type.Union([...engineSchema], { default: 'duckdb', description: 'Engine of a query that names none' }),
  QUERY_QUEUE_NAME: Type.String({
    default: 'millrace-queries',
    pattern: '^[A-Za-z0-9_-]{1,64}$',
    description: 'Prefix of the names of the BullMQ queues; each engine has one',
  }),
  QUERY_ID_SECRET: Type.Optional(
    Type.String({
      minLength: 32,
      maxLength: 1024,
      description:
        'Secret behind ids of queries with an Idempotency-Key, the same on every instance; without it the instances share one through Redis',
    }),
  ),
  QUERY_QUEUE_JOBS_MAX: Type.Integer({
    default: 1000,
    minimum: 1,
    maximum: 1_000_000,
    description: 'Maximum number of queries that wait for each engine',
  }),
  QUERY_DAILY_BYTES_MAX: Type.Integer({
    default: 0,
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    description: 'Bytes that the queries of one principal may scan on one day (UTC), as Athena bills them; 0 sets no limit',
  }),
  QUERY_TIMEOUT_MS: Type.Integer({
    default: 60_000,
    minimum: queryLimits.timeoutMsMin,
    maximum: queryLimits.timeoutMsMax,
    description: 'Time limit of a query that sets none, in milliseconds',
  }),
  QUERY_FLOW_PROCESSES: Type.Array(Type.String({ pattern: processAddressPattern }), {
    default: [],
    maxItems: 50,
    uniqueItems: true,
    description:
      'Processes that `GET /v1/flow` and the console show, as `name=origin`. Their names are `purchase`, `sink`, `projector`, `query-api` ' +
      'and `query-worker`, with a suffix such as `sink-2` for further ones. The credential of the caller is sent to them',
  }),
  QUERY_CONSOLE_OIDC_CLIENT_ID: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 256,
      description:
        'Public client of the console at the issuer MILLRACE_AUTH_JWT_ISSUER: users sign in there, by the authorization code flow with PKCE',
    }),
  ),
  QUERY_CONSOLE_OIDC_SCOPE: Type.String({
    default: 'openid purchases:write queries:run admin',
    minLength: 1,
    maxLength: 1024,
    description: 'Scopes that the console asks the issuer for, separated by spaces. The issuer decides which of them a user gets',
  }),
  QUERY_CONSOLE_OIDC_ORIGINS: Type.Array(Type.String({ pattern: '^https?://[^\\s,/;]+$' }), {
    default: [],
    maxItems: 10,
    uniqueItems: true,
    description: 'Further origins to which the sign-in of the console may connect, such as that of the token endpoint',
  }),
  QUERY_CONSOLE_CHAOS_URL: Type.Optional(
    Type.String({
      pattern: '^http://127\\.0\\.0\\.1:[0-9]{1,5}$',
      description: 'Origin of the endpoint of attacks, for the screen Chaos of the console; `./millrace chaos serve` sets it',
    }),
  ),
  QUERY_REPORTS_DIR: Type.Optional(
    Type.String({ minLength: 1, description: 'Folder of further reports, one `.sql` file each, beside those of this version' }),
  ),
  QUERY_CRAWL_SECONDS: Type.Integer({
    default: 0,
    minimum: 0,
    maximum: 2_592_000,
    description: 'Time between two comparisons of the tables with the catalog, in seconds; 0 turns the crawler off',
  }),
  QUERY_CRAWL_POLICY: Type.Enum([...crawlPolicies], {
    default: 'log',
    description: 'Policy of the crawler: `log` changes nothing, `update` adds and widens, `deprecate` also marks partitions without files',
  }),
  QUERY_WAITERS_MAX: Type.Integer({
    default: 500,
    minimum: 0,
    maximum: 100_000,
    description: 'Maximum number of requests that wait for a result at the same time',
  }),
  QUERY_RETENTION_SECONDS: Type.Integer({
    default: 86_400,
    minimum: 60,
    maximum: 31_536_000,
    description: 'Time for which a finished query is kept, in seconds',
  }),
  QUERY_RETENTION_JOBS_MAX: Type.Integer({
    default: 10_000,
    minimum: 1,
    maximum: 1_000_000,
    description: 'Maximum number of finished queries that are kept for each engine',
  }),
  QUERY_CACHE_SECONDS: Type.Integer({
    default: 3600,
    minimum: 0,
    maximum: 31_536_000,
    description: 'Time for which a result answers equal queries while its tables stay the same, in seconds; 0 turns the cache off',
  }),
  QUERY_CACHE_STALE_MS_MAX: Type.Integer({
    default: 1000,
    minimum: 0,
    maximum: 60_000,
    description: 'Maximum age in milliseconds of the check that a kept result is still exact; 0 checks for each query',
  }),
  QUERY_CACHE_ENTRIES_MAX: Type.Integer({
    default: 10_000,
    minimum: 1,
    maximum: 1_000_000,
    description: 'Maximum number of results that are kept for equal queries',
  }),
  QUERY_LOCK_MS: Type.Integer({
    default: 15_000,
    minimum: 1000,
    maximum: 600_000,
    description: "Time after which a dead worker's query is taken over, in milliseconds",
  }),
  QUERY_TAKEOVERS_MAX: Type.Integer({
    default: 2,
    minimum: 0,
    maximum: 100,
    description: 'Number of workers that may die while they run a query, before the query fails',
  }),
  QUERY_DRAIN_SECONDS: Type.Integer({
    default: 20,
    minimum: 0,
    maximum: 3600,
    description: 'Time that running queries have to end at a shutdown, in seconds; then they are handed over',
  }),
  QUERY_RESULTS_BUCKET: Type.Optional(
    Type.String({ minLength: 3, maxLength: 63, description: 'Bucket of results; default: LAKE_BUCKET with LAKE_PREFIX' }),
  ),
  QUERY_RESULT_ROWS_MAX: Type.Integer({ default: 1_000_000, minimum: 1, maximum: 1_000_000_000, description: 'Rows of one result' }),
  QUERY_RESULT_MB_MAX: Type.Integer({ default: 256, minimum: 1, maximum: 1_048_576, description: 'Size of one result in MiB' }),
  QUERY_TABLE_FILES_MAX: Type.Integer({
    default: 20_000,
    minimum: 1,
    maximum: 1_000_000,
    description: 'Maximum number of files that DuckDB reads for one query, in the partitions that its conditions allow',
  }),
  QUERY_DUCKDB_LAYOUT: layoutOf(
    'iceberg',
    'Files that DuckDB reads for a query that names no layout: `iceberg` means those of the Iceberg table and those that landed since',
  ),
  QUERY_DUCKDB_HTTPFS: Type.Optional(
    Type.String({ minLength: 1, description: "Path of DuckDB's httpfs extension; without it DuckDB installs its own" }),
  ),
  QUERY_DUCKDB_CONCURRENCY: Type.Integer({
    default: 3,
    minimum: 1,
    maximum: 64,
    description:
      'Maximum number of concurrent queries of one worker in DuckDB, each in a separate process. One authenticated caller holds all but one of them at most',
  }),
  QUERY_DUCKDB_MEMORY_MB: Type.Integer({
    default: 256,
    minimum: 64,
    maximum: 1_048_576,
    description: "DuckDB's memory limit for one query in MiB",
  }),
  QUERY_DUCKDB_PROCESS_MB: Type.Integer({
    default: 1024,
    minimum: 256,
    maximum: 1_048_576,
    description: 'Resident memory at which the process of a query exits, in MiB',
  }),
  QUERY_DUCKDB_THREADS: Type.Integer({ default: 1, minimum: 1, maximum: 64, description: 'Threads of one query in DuckDB' }),
  QUERY_DUCKDB_TEMP_MB: Type.Integer({
    default: 1024,
    minimum: 0,
    maximum: 1_048_576,
    description: 'Maximum size of the files that DuckDB spills to disk for one query, in MiB',
  }),
  QUERY_DUCKDB_CACHE_MB: Type.Integer({
    default: 64,
    minimum: 0,
    maximum: 1_048_576,
    description:
      'Memory in which one worker keeps small files and footers of the table for DuckDB, in MiB; with 0, DuckDB keeps none either',
  }),
  QUERY_DUCKDB_START_MS: Type.Integer({
    default: 15_000,
    minimum: 100,
    maximum: 600_000,
    description: 'Time limit for the start of a DuckDB process, in milliseconds',
  }),
  QUERY_DUCKDB_READ_SECONDS: Type.Integer({
    default: 5,
    minimum: 1,
    maximum: 600,
    description: `Time without an answer after which DuckDB gives up one try of a read of S3, in seconds; all ${triesOfRead} must fit into QUERY_TIMEOUT_MS`,
  }),
  QUERY_ATHENA_WORKGROUP: Type.String({ default: 'primary', minLength: 1, maxLength: 128, description: 'Workgroup of Athena' }),
  QUERY_ATHENA_LAYOUT: layoutOf('base', 'Table that Athena reads for a query that names no layout'),
  QUERY_ATHENA_USD_PER_TB: Type.Number({
    default: 5,
    minimum: 0,
    maximum: 1_000_000,
    description: 'Price of a terabyte scanned by Athena in this region, in US dollars',
  }),
  QUERY_ATHENA_CONCURRENCY: Type.Integer({
    default: 10,
    minimum: 1,
    maximum: 200,
    description: 'Maximum number of concurrent queries of one worker in Athena. One authenticated caller holds all but one of them at most',
  }),
  QUERY_ATHENA_POLL_MS_MIN: Type.Integer({
    default: 100,
    minimum: 10,
    maximum: 60_000,
    description: 'Initial interval between two polls of a query in Athena, in milliseconds',
  }),
  QUERY_ATHENA_POLL_MS_MAX: Type.Integer({
    default: 2000,
    minimum: 10,
    maximum: 60_000,
    description: 'Maximum interval between two polls of a query in Athena, in milliseconds',
  }),
  QUERY_ATHENA_LOOKS_PER_SECOND: Type.Integer({
    default: 50,
    minimum: 1,
    maximum: 10_000,
    description: 'Maximum number of polls of queries in Athena per second by all workers together; AWS limits them for each account',
  }),
  QUERY_TRINO_CATALOG: Type.String({
    default: 'hive',
    pattern: '^[a-z0-9_][a-z0-9_-]{0,127}$',
    description: 'Catalog of Trino that holds LAKE_DATABASE',
  }),
  QUERY_TRINO_ICEBERG_CATALOG: Type.String({
    default: 'iceberg',
    pattern: '^[a-z0-9_][a-z0-9_-]{0,127}$',
    description: 'Catalog of Trino that holds the Iceberg tables of LAKE_DATABASE',
  }),
  QUERY_TRINO_LAYOUT: layoutOf('base', 'Table that Trino reads for a query that names no layout'),
  QUERY_TRINO_CONCURRENCY: Type.Integer({
    default: 10,
    minimum: 1,
    maximum: 200,
    description: 'Maximum number of concurrent queries of one worker in Trino. One authenticated caller holds all but one of them at most',
  }),
  ...pipelineSettings('QUERY', queryPipelines),
  ...attemptsSetting('QUERY'),
  TRINO_URL: Type.String({
    default: 'http://127.0.0.1:8080',
    pattern: '^https?://[^/?#]+/?$',
    description: 'Trino; a user and a password in it are sent as Basic credentials',
  }),
  REDIS_URL: Type.String({
    default: 'redis://127.0.0.1:6379',
    pattern: redisUrlPattern,
    description:
      'Redis, with user and password if it asks for them; `rediss:` for TLS. With sentinels or a cluster, its address is ignored',
  }),
  ...redisSettings,
  ...optionalKafkaSettings,
  AWS_REGION: Type.Optional(Type.String({ minLength: 1, description: "AWS region. Default: the profile's, or us-east-1" })),
  AWS_ENDPOINT_URL: Type.Optional(Type.String({ description: 'Endpoint of every AWS service' })),
  AWS_ENDPOINT_URL_S3: Type.Optional(Type.String({ description: 'Endpoint of S3' })),
  AWS_ENDPOINT_URL_GLUE: Type.Optional(Type.String({ description: 'Endpoint of Glue' })),
  AWS_ENDPOINT_URL_ATHENA: Type.Optional(Type.String({ description: 'Endpoint of Athena' })),
  LAKE_BUCKET: Type.String({ default: 'millrace-lake', minLength: 3, maxLength: 63, description: 'Bucket of the lake' }),
  ...lakeSettings,
  LAKE_DATABASE: Type.String({ default: purchases.database, minLength: 1, maxLength: 255, description: 'Glue database of the tables' }),
  ...authSettings,
  ...drainSettings,
  HOME: Type.Optional(Type.String({ description: 'Home directory' })),
  TMPDIR: Type.String({ default: '/tmp', minLength: 1, description: 'Directory of temporary files' }),
  ...logSettings,
});

/** Settings of the query API and of its worker, named as in the environment. */
export type QueryConfig = Static<typeof queryConfigSchema>;

/**
 * Reads the settings, the same for both roots.
 *
 * @throws ConfigError naming every problem at once
 */
export function readQueryConfig(env: Readonly<Record<string, string | undefined>> = process.env): QueryConfig {
  const given = readConfig(queryConfigSchema, {
    prefixes: ['QUERY_', ...kafkaPrefixes, ...redisPrefixes, lakePrefix, authPrefix, drainPrefix],
    env,
    check: (config) => [
      ...(config.QUERY_ENGINES.includes(config.QUERY_DEFAULT_ENGINE)
        ? []
        : [`QUERY_DEFAULT_ENGINE must be one of QUERY_ENGINES (it is "${config.QUERY_DEFAULT_ENGINE}").`]),
      ...(config.QUERY_ATHENA_POLL_MS_MIN <= config.QUERY_ATHENA_POLL_MS_MAX
        ? []
        : ['QUERY_ATHENA_POLL_MS_MIN must not be above QUERY_ATHENA_POLL_MS_MAX.']),
      ...(config.QUERY_DUCKDB_MEMORY_MB < config.QUERY_DUCKDB_PROCESS_MB
        ? []
        : ['QUERY_DUCKDB_PROCESS_MB must be above QUERY_DUCKDB_MEMORY_MB.']),
      // Otherwise a query's own time limit would always come first, and no circuit would ever count that S3 does not answer.
      ...(readMsMax(config.QUERY_DUCKDB_READ_SECONDS) < config.QUERY_TIMEOUT_MS
        ? []
        : [
            `QUERY_DUCKDB_READ_SECONDS must be lower: DuckDB would give up a read of S3 after ${readMsMax(config.QUERY_DUCKDB_READ_SECONDS)} ms, which is not within QUERY_TIMEOUT_MS (${config.QUERY_TIMEOUT_MS}).`,
          ]),
      ...consoleProblems(config),
      ...redisProblems(config),
      ...kafkaProblemsOf(config),
      ...pipelineProblems(specsOf(config)),
    ],
  });
  return { ...given, QUERY_QUEUE_NAME: keyNameOf(given.QUERY_QUEUE_NAME, given) };
}

function kafkaProblemsOf(config: QueryConfig): string[] {
  const given = givenKafkaSettings(config);
  return given === undefined ? [] : kafkaProblems(given);
}
