import { GetDatabaseCommand } from '@aws-sdk/client-glue';
import type { Stream } from '@millrace/contracts';
import { GlueCatalog, GluePointer, projectionPrefix, S3ObjectStore, lakeRoot, objectSettingsOf } from '@millrace/lake';
import type { HealthRegistry, PipelineRegistry } from '@millrace/runtime';
import type { Logger } from 'pino';
import { awsClients, type AwsClients } from './aws-clients.ts';
import type { QueryConfig } from './config.ts';
import { AthenaEngine, type Sleep } from './engines/athena/athena-engine.ts';
import { sharedLookTurns } from './engines/athena/look-turns.ts';
import { DuckDbEngine } from './engines/duckdb/duckdb-engine.ts';
import { rangeReader, readMsMax } from './engines/duckdb/s3-reads.ts';
import type { QueryEngine } from './engines/query-engine.ts';
import { TrinoEngine } from './engines/trino/trino-engine.ts';
import { catalogGuard, storeGuard, type Guards } from './guards.ts';
import type { LakePlaces } from './lake-tables.ts';
import { Coverage } from './layouts/coverage.ts';
import { Layouts } from './layouts/layouts.ts';
import { offsetsOf, ProjectedTable } from './layouts/projected-table.ts';
import type { StatementGate } from './statement/statement-gate.ts';
import { LakeSources } from './lake-sources.ts';
import { guardsOver, specsOf } from './resilience.ts';
import { LedgerVersions } from './queries/cache/lake-versions.ts';
import { ResultCache } from './queries/cache/result-cache.ts';
import { QueryQueue } from './queries/query-queue.ts';
import { queuePrefix } from './queries/queue-prefix.ts';
import { redisSettingsOf, requestConnection, settled, type RedisClient, type RedisSettings } from '@millrace/redis';
import { RedisRefusals } from './redis-refusals.ts';

const mebibyte = 1024 * 1024;

/** How long a start waits for Redis, in milliseconds, so that a service is not unready for its first moments. */
const settledMsMax = 2000;

/** Parts that both roots share. */
export interface QueryParts {
  readonly aws: AwsClients;
  readonly results: S3ObjectStore;
  /** The same, for calls of a request with a deadline. */
  readonly resultsUntil: (deadline: number | undefined) => S3ObjectStore;
  readonly queue: QueryQueue;
  /** For single commands beside the queue; its connection is the queue's. */
  readonly redis: RedisClient;
  close(): Promise<void>;
}

export async function queryParts(
  config: QueryConfig,
  registry: Pick<PipelineRegistry, 'find' | 'list'>,
  logger: Logger,
): Promise<QueryParts> {
  const guards = guardsOver(registry);
  const { s3, glue, athena } = specsOf(config);
  const aws = awsClients({
    region: config.AWS_REGION,
    endpoint: config.AWS_ENDPOINT_URL,
    s3Endpoint: config.AWS_ENDPOINT_URL_S3,
    glueEndpoint: config.AWS_ENDPOINT_URL_GLUE,
    athenaEndpoint: config.AWS_ENDPOINT_URL_ATHENA,
    objects: objectSettingsOf(config),
    connectTimeoutMs: { s3: s3.timeout?.connectMs, glue: glue.timeout?.connectMs, athena: athena.timeout?.connectMs },
  });
  const resultsUntil = (deadline: number | undefined): S3ObjectStore =>
    new S3ObjectStore(aws.s3, resultsRoot(config), storeGuard(guards.s3, deadline));
  const overRedis = registry.list().filter(({ dependency }) => dependency === 'redis');
  const redis = requestConnection(redisPlace(config), overRedis, (error) =>
    logger.debug({ err: error }, 'The connection to Redis reported an error.'),
  );
  const refusals = new RedisRefusals();
  refusals.watch(redis);
  await settled(redis, settledMsMax);
  const queue = new QueryQueue(
    redis,
    {
      name: config.QUERY_QUEUE_NAME,
      engines: config.QUERY_ENGINES,
      jobsMax: config.QUERY_QUEUE_JOBS_MAX,
      retentionSeconds: config.QUERY_RETENTION_SECONDS,
      retentionJobsMax: config.QUERY_RETENTION_JOBS_MAX,
      dailyBytesMax: config.QUERY_DAILY_BYTES_MAX,
    },
    refusals.over(guards.redis),
  );
  return {
    aws,
    results: resultsUntil(undefined),
    resultsUntil,
    queue,
    redis,
    async close() {
      await queue.close();
      aws.destroy();
    },
  };
}

/** The cache of results, and the state of the tables that decides whether a result is still exact. */
export function cacheParts(
  config: QueryConfig,
  streams: readonly Stream[],
  { aws, redis }: QueryParts,
  registry: Pick<PipelineRegistry, 'get'>,
): { readonly versions: LedgerVersions; readonly cache: ResultCache } {
  // The pipeline is around the whole read, so that none of its calls has a separate one.
  const tables = streams.map((stream) => {
    const { store, catalog, projected } = tableParts(config, stream, aws, undefined);
    const projectedOffsets = async (): Promise<readonly number[] | undefined> => {
      const pinned = await projected.pinned();
      return 'fallback' in pinned ? undefined : offsetsOf(stream, pinned.state);
    };
    return { stream, store, catalog, projectedOffsets };
  });
  return {
    versions: new LedgerVersions(tables, registry.get('lake-version'), Date.now),
    cache: new ResultCache(
      redis,
      { name: config.QUERY_QUEUE_NAME, seconds: config.QUERY_CACHE_SECONDS, entriesMax: config.QUERY_CACHE_ENTRIES_MAX },
      registry.get('cache'),
    ),
  };
}

/** The ledger, the catalog and the projection of one table. Without guards, a pipeline must be around the calls. */
function tableParts(
  config: QueryConfig,
  stream: Stream,
  { s3, glue }: AwsClients,
  guards: Pick<Guards, 's3' | 'glue'> | undefined,
): { readonly store: S3ObjectStore; readonly catalog: GlueCatalog; readonly projected: ProjectedTable } {
  const { LAKE_DATABASE: database } = config;
  const bucket = rootOf(config);
  const overGlue = guards === undefined ? undefined : catalogGuard(guards.glue);
  const store = guards === undefined ? new S3ObjectStore(s3, bucket) : new S3ObjectStore(s3, bucket, storeGuard(guards.s3));
  const catalog = new GlueCatalog(glue, stream, bucket, overGlue, database);
  const location = `s3://${bucket}/${projectionPrefix(stream.table)}`.slice(0, -1);
  const pointer = new GluePointer(glue, { ...stream, database }, location, overGlue);
  return { store, catalog, projected: new ProjectedTable({ stream, bucket, store, catalog, pointer, now: Date.now }) };
}

/** The choice of layouts, and the check whether a layout holds an event. */
export function layoutParts(
  config: QueryConfig,
  streams: readonly Stream[],
  gate: Pick<StatementGate, 'tree'>,
  aws: AwsClients,
  guards: Guards,
): { readonly layouts: Layouts; readonly coverage: Coverage } {
  const tables = new Map(streams.map((stream) => [stream.table, tableParts(config, stream, aws, guards)]));
  const layouts = new Layouts({
    gate,
    streams,
    database: config.LAKE_DATABASE,
    bucket: rootOf(config),
    projected: new Map([...tables].map(([name, { projected }]) => [name, projected])),
    filesMax: config.QUERY_TABLE_FILES_MAX,
    trinoCatalog: config.QUERY_TRINO_ICEBERG_CATALOG,
  });
  return { layouts, coverage: new Coverage(tables) };
}

/** Bucket and prefix of the lake. */
export function rootOf(config: Pick<QueryConfig, 'LAKE_BUCKET' | 'LAKE_PREFIX'>): string {
  return lakeRoot(config.LAKE_BUCKET, config.LAKE_PREFIX);
}

/** Bucket and prefix of the results. The prefix of the lake holds for its own bucket only. */
export function resultsRoot(config: QueryConfig): string {
  return config.QUERY_RESULTS_BUCKET ?? rootOf(config);
}

/** How Redis is reached. */
export function redisPlace(config: QueryConfig): RedisSettings {
  return redisSettingsOf(config.REDIS_URL, config, specsOf(config).redis.timeout?.connectMs);
}

/** Where the partitions and the files of the tables are found. */
export function lakePlaces(
  config: QueryConfig,
  aws: AwsClients,
  guards: Guards,
): Omit<LakePlaces, 'catalogOf' | 'storeOf'> & { catalogOf: (stream: Stream) => GlueCatalog; storeOf: (bucket: string) => S3ObjectStore } {
  const stores = new Map<string, S3ObjectStore>();
  return {
    database: config.LAKE_DATABASE,
    catalogOf: (stream) => new GlueCatalog(aws.glue, stream, rootOf(config), catalogGuard(guards.glue), config.LAKE_DATABASE),
    storeOf: (bucket) => {
      const store = stores.get(bucket) ?? new S3ObjectStore(aws.s3, bucket, storeGuard(guards.s3));
      stores.set(bucket, store);
      return store;
    },
  };
}

/** The engines that the settings name. */
export function queryEngines(
  config: QueryConfig,
  streams: readonly Stream[],
  { aws, redis }: QueryParts,
  guards: Guards,
  sleep: Sleep,
): QueryEngine[] {
  const makers: Record<QueryConfig['QUERY_DEFAULT_ENGINE'], () => QueryEngine> = {
    duckdb: () =>
      new DuckDbEngine(
        {
          limits: {
            memoryMiB: config.QUERY_DUCKDB_MEMORY_MB,
            processMemoryMiB: config.QUERY_DUCKDB_PROCESS_MB,
            threads: config.QUERY_DUCKDB_THREADS,
            tempMiB: config.QUERY_DUCKDB_TEMP_MB,
          },
          tempRoot: config.TMPDIR,
          httpfsPath: config.QUERY_DUCKDB_HTTPFS,
          home: config.HOME,
          startMsMax: config.QUERY_DUCKDB_START_MS,
          readMsMax: readMsMax(config.QUERY_DUCKDB_READ_SECONDS),
          keptBytesMax: config.QUERY_DUCKDB_CACHE_MB * mebibyte,
        },
        new LakeSources({
          streams,
          places: lakePlaces(config, aws, guards),
          filesMax: config.QUERY_TABLE_FILES_MAX,
          readRange: rangeReader(aws.s3, config.QUERY_DUCKDB_READ_SECONDS),
        }),
        guards.duckdbReads,
      ),
    athena: () =>
      new AthenaEngine(
        aws.athena,
        {
          workgroup: config.QUERY_ATHENA_WORKGROUP,
          database: config.LAKE_DATABASE,
          outputLocation: `s3://${resultsRoot(config)}/_results/athena/`,
          kmsKey: config.LAKE_KMS_KEY,
          bucketOwner: config.LAKE_BUCKET_OWNER,
          pollMsMin: config.QUERY_ATHENA_POLL_MS_MIN,
          pollMsMax: config.QUERY_ATHENA_POLL_MS_MAX,
        },
        guards.athena,
        sleep,
        sharedLookTurns(
          redis,
          { key: `${queuePrefix}:${config.QUERY_QUEUE_NAME}:athena-looks`, perSecond: config.QUERY_ATHENA_LOOKS_PER_SECOND },
          guards.redis,
          sleep,
        ),
      ),
    trino: () =>
      new TrinoEngine({ url: config.TRINO_URL, catalog: config.QUERY_TRINO_CATALOG, schema: config.LAKE_DATABASE }, guards.trino),
  };
  return config.QUERY_ENGINES.map((name) => makers[name]());
}

/** Checks of the dependencies that both roots need. */
export function registerStoreChecks(health: HealthRegistry, { queue, results }: QueryParts): void {
  health.register('redis', { check: async () => await queue.ping(), required: true });
  health.register('s3', { check: async (signal) => void (await results.list('_results/', { limit: 1, signal })), required: true });
}

/** Further checks of a worker. Only the default engine is required, because the others are optional for a query. */
export function registerEngineChecks(
  health: HealthRegistry,
  config: QueryConfig,
  { aws }: QueryParts,
  engines: readonly QueryEngine[],
  { glue }: Pick<Guards, 'glue'>,
): void {
  health.register('glue', {
    check: async (signal) =>
      await glue(
        { operation: 'check', idempotent: true, signal },
        async (sending) => void (await aws.glue.send(new GetDatabaseCommand({ Name: config.LAKE_DATABASE }), { abortSignal: sending })),
      ),
    required: true,
  });
  for (const engine of engines) {
    health.register(`engine-${engine.name}`, {
      check: async (signal) => await engine.check(signal),
      required: engine.name === config.QUERY_DEFAULT_ENGINE,
      timeoutMs: 5000,
    });
  }
}

/** The tables a statement may name. */
export function allowedTables(config: QueryConfig, streams: readonly Stream[]): { database: string; tables: string[] } {
  return { database: config.LAKE_DATABASE, tables: streams.map(({ table }) => table) };
}

/** Limits of a result. */
export function resultLimits(config: QueryConfig): { rowsMax: number; bytesMax: number; partBytes: number; partRows: number } {
  return {
    rowsMax: config.QUERY_RESULT_ROWS_MAX,
    bytesMax: config.QUERY_RESULT_MB_MAX * mebibyte,
    partBytes: 4 * mebibyte,
    partRows: 10_000,
  };
}
