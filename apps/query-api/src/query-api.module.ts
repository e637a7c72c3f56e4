import { Inject, Module, type DynamicModule, type OnModuleDestroy } from '@nestjs/common';
import { givenKafkaSettings, kafkaAccessOf } from '@millrace/kafka/access';
import { S3ObjectStore } from '@millrace/lake';
import { listStreams, type Stream, streams as allStreams } from '@millrace/contracts';
import { sleep, systemClock, type Pipeline } from '@millrace/resilience';
import { HealthRegistry, Metrics, PipelineRegistry, PipelinesModule, pipelineToken } from '@millrace/runtime';
import type { Logger } from 'pino';
import type { AwsClients } from './aws-clients.ts';
import type { QueryConfig } from './config.ts';
import { storeGuard, type Guards } from './guards.ts';
import { SchemaHistory } from './catalog/schema-history.ts';
import { streamDetails } from './catalog/stream-details.ts';
import { TableReader } from './catalog/table-reader.ts';
import { Tables } from './catalog/tables.ts';
import { guardsOver, pipelinesOf } from './resilience.ts';
import { FlowReader } from './flow/flow-reader.ts';
import { processAddresses } from './flow/process-address.ts';
import { BoardController } from './http/board.controller.ts';
import { CallerController } from './http/caller.controller.ts';
import { CatalogController, QUERY_CATALOG, type QueryCatalog } from './http/catalog.controller.ts';
import { consoleSettings } from './console/console-settings.ts';
import { ConsoleController } from './http/console.controller.ts';
import { CONSOLE_SETTINGS, SignInController } from './http/sign-in.controller.ts';
import { FlowController } from './http/flow.controller.ts';
import { LedgerController } from './http/ledger.controller.ts';
import { McpController } from './http/mcp.controller.ts';
import { QueriesController } from './http/queries.controller.ts';
import { DESCRIBE_STREAMS, StreamsController, type DescribeStreams } from './http/streams.controller.ts';
import { RejectsController } from './http/rejects.controller.ts';
import { Ledgers } from './ledger/ledgers.ts';
import { askInline } from './queries/ask-inline.ts';
import { CachedAnswers } from './queries/cache/cached-answers.ts';
import { SharedIdSecret } from './queries/id-secret.ts';
import { queryApiAudit } from './queries/query-audit.ts';
import { Estimates } from './queries/estimate/estimates.ts';
import { EventStreams } from './queries/progress/event-streams.ts';
import { QueryService, type QueryServiceParts } from './queries/query-service.ts';
import { QueryQueue } from './queries/query-queue.ts';
import { QueryEnds } from './queries/query-ends.ts';
import { QueryWaits } from './queries/wait-for-end.ts';
import {
  allowedTables,
  cacheParts,
  lakePlaces,
  layoutParts,
  queryParts,
  redisPlace,
  registerStoreChecks,
  type QueryParts,
  resultsRoot,
  rootOf,
} from './query-parts.ts';
import { workerConnection } from '@millrace/redis';
import { Rejects } from './rejects/rejects.ts';
import { ReportUsage } from './reports/report-usage.ts';
import { KeptManifests } from './results/kept-manifests.ts';
import { s3Links } from './results/s3-links.ts';
import { allReports, checkReports } from './reports/reports.ts';
import { StatementGate } from './statement/statement-gate.ts';

const PARTS = Symbol('QUERY_PARTS');

/** The composition root of the query API's HTTP process. */
@Module({})
export class QueryApiModule implements OnModuleDestroy {
  constructor(
    @Inject(PARTS) private readonly parts: QueryParts,
    @Inject(StatementGate) private readonly gate: StatementGate,
    @Inject(QueryEnds) private readonly ends: QueryEnds,
    @Inject(HealthRegistry) health: HealthRegistry,
  ) {
    registerStoreChecks(health, parts);
  }

  /** @param list Streams whose tables may be queried. Default: every declared stream. */
  static of(config: QueryConfig, logger: Logger, list: readonly Stream[] = allStreams): DynamicModule {
    const streams = listStreams(list);
    const reports = allReports(config.QUERY_REPORTS_DIR);
    const catalog: QueryCatalog = {
      database: config.LAKE_DATABASE,
      streams,
      reports,
      engines: config.QUERY_ENGINES,
      defaultEngine: config.QUERY_DEFAULT_ENGINE,
    };
    return {
      module: QueryApiModule,
      imports: [PipelinesModule.forRoot(pipelinesOf(config, 'api'))],
      controllers: [
        QueriesController,
        CatalogController,
        CallerController,
        FlowController,
        StreamsController,
        RejectsController,
        LedgerController,
        McpController,
        BoardController,
        SignInController,
        ConsoleController,
      ],
      providers: [
        { provide: QUERY_CATALOG, useValue: catalog },
        { provide: CONSOLE_SETTINGS, useValue: consoleSettings(config) },
        // The token makes sure that the pipelines are made first.
        {
          provide: PARTS,
          inject: [PipelineRegistry, pipelineToken('redis')],
          useFactory: async (registry: PipelineRegistry) => await queryParts(config, registry, logger),
        },
        { provide: QueryQueue, inject: [PARTS], useFactory: ({ queue }: QueryParts) => queue },
        {
          provide: ReportUsage,
          inject: [PARTS, pipelineToken('usage-write'), pipelineToken('usage-read')],
          useFactory: ({ redis }: QueryParts, write: Pipeline, read: Pipeline) =>
            new ReportUsage(redis, config.QUERY_QUEUE_NAME, write, read),
        },
        {
          provide: QueryEnds,
          useFactory: () =>
            new QueryEnds(
              workerConnection(redisPlace(config), (error) => logger.debug({ err: error }, 'The connection to Redis reported an error.')),
              config.QUERY_QUEUE_NAME,
            ),
        },
        {
          provide: Tables,
          inject: [PARTS, QueryService, PipelineRegistry],
          useFactory: (parts: QueryParts, queries: QueryService, registry: PipelineRegistry) =>
            tablesOf(config, streams, parts, queries, registry, logger),
        },
        {
          provide: Rejects,
          inject: [PARTS, PipelineRegistry, pipelineToken('redrive')],
          useFactory: ({ aws }: QueryParts, registry: PipelineRegistry, pipeline: Pipeline) =>
            rejectsOf(config, streams, aws, registry, pipeline, logger),
        },
        {
          provide: DESCRIBE_STREAMS,
          inject: [PARTS, PipelineRegistry],
          useFactory: ({ aws }: QueryParts, registry: PipelineRegistry) =>
            streamDetailsOf(config, streams, aws, guardsOver(registry), logger),
        },
        {
          provide: Ledgers,
          inject: [PARTS, PipelineRegistry],
          useFactory: ({ aws }: QueryParts, registry: PipelineRegistry) => ledgersOf(config, streams, aws, guardsOver(registry)),
        },
        {
          provide: FlowReader,
          inject: [pipelineToken('processes')],
          useFactory: (pipeline: Pipeline) =>
            new FlowReader({ processes: processAddresses(config.QUERY_FLOW_PROCESSES), pipeline, now: Date.now, fetch }),
        },
        {
          provide: StatementGate,
          useFactory: async () => {
            const gate = await StatementGate.create(allowedTables(config, streams));
            await checkReports(reports, gate);
            return gate;
          },
        },
        {
          provide: QueryService,
          inject: [PARTS, StatementGate, ReportUsage, QueryEnds, PipelineRegistry, Metrics],
          useFactory: (
            parts: QueryParts,
            gate: StatementGate,
            usage: ReportUsage,
            ends: QueryEnds,
            registry: PipelineRegistry,
            metrics: Metrics,
          ) => {
            const { queue, redis, resultsUntil } = parts;
            const manifests = new KeptManifests(config.QUERY_CACHE_STALE_MS_MAX, Date.now);
            return new QueryService({
              queue,
              cache: cacheOf(config, streams, { ...parts, manifests }, gate, registry, logger),
              manifests,
              estimates: new Estimates({
                layouts: layoutParts(config, streams, gate, parts.aws, guardsOver(registry)).layouts,
                gate,
                streams,
                places: lakePlaces(config, parts.aws, guardsOver(registry)),
                filesMax: config.QUERY_TABLE_FILES_MAX,
                usdPerTb: config.QUERY_ATHENA_USD_PER_TB,
              }),
              onAnswered: countAnswers(metrics),
              results: resultsUntil,
              linkTo: s3Links(parts.aws.s3, resultsRoot(config)),
              usage,
              rules: {
                gate,
                reports,
                engines: config.QUERY_ENGINES,
                defaultEngine: config.QUERY_DEFAULT_ENGINE,
                streams,
                layouts: { duckdb: config.QUERY_DUCKDB_LAYOUT, athena: config.QUERY_ATHENA_LAYOUT, trino: config.QUERY_TRINO_LAYOUT },
                timeoutMs: config.QUERY_TIMEOUT_MS,
              },
              changes: ends,
              streams: new EventStreams(config.QUERY_WAITERS_MAX),
              waits: new QueryWaits(config.QUERY_WAITERS_MAX, ends),
              now: Date.now,
              newId: () => crypto.randomUUID(),
              idSecret: idSecretOf(config, new SharedIdSecret(redis, config.QUERY_QUEUE_NAME, guardsOver(registry).redis)),
              audit: queryApiAudit(logger),
              // A wait that is cut short is not an error: the caller reads the query once more and answers.
              sleep: async (ms, signal) => await sleep(ms, { clock: systemClock, signal }).catch(() => undefined),
            });
          },
        },
      ],
    };
  }

  async onModuleDestroy(): Promise<void> {
    this.ends.close();
    await this.parts.close();
    this.gate.close();
  }
}

function cacheOf(
  config: QueryConfig,
  streams: readonly Stream[],
  parts: QueryParts & { readonly manifests: KeptManifests },
  gate: StatementGate,
  registry: PipelineRegistry,
  logger: Logger,
): QueryServiceParts['cache'] {
  if (config.QUERY_CACHE_SECONDS === 0) return { find: async () => ({ result: 'bypass' }), release: async () => undefined };
  return new CachedAnswers({
    gate,
    streams,
    ...cacheParts(config, streams, parts, registry),
    findQuery: async (id, limits) => await parts.queue.find(id, limits),
    results: parts.resultsUntil,
    manifests: parts.manifests,
    staleMsMax: config.QUERY_CACHE_STALE_MS_MAX,
    lookMsMax: registry.get('lake-version').settings().timeout.totalMs,
    now: Date.now,
    onFailure: (error) => logger.warn({ err: error }, 'The cache of results cannot be asked; the query runs.'),
  });
}

function tablesOf(
  config: QueryConfig,
  streams: readonly Stream[],
  { aws }: QueryParts,
  queries: QueryService,
  registry: PipelineRegistry,
  logger: Logger,
): Tables {
  const guards = guardsOver(registry);
  const { catalogOf } = lakePlaces(config, aws, guards);
  const store = new S3ObjectStore(aws.s3, rootOf(config), storeGuard(guards.s3));
  return new Tables({
    database: config.LAKE_DATABASE,
    tables: streams.map((stream) => ({
      stream,
      reader: new TableReader({
        stream,
        bucket: rootOf(config),
        store,
        catalog: catalogOf(stream),
        now: Date.now,
        onProjectionFailure: (error) => logger.warn({ err: error, table: stream.table }, 'The Iceberg table cannot be described.'),
      }),
    })),
    ask: config.QUERY_ENGINES.includes('duckdb')
      ? async (body, caller, limits, options) => await askInline(queries, body, caller, limits, options)
      : undefined,
  });
}

function rejectsOf(
  config: QueryConfig,
  streams: readonly Stream[],
  { s3 }: AwsClients,
  registry: PipelineRegistry,
  pipeline: Pipeline,
  logger: Logger,
): Rejects {
  const guards = guardsOver(registry);
  const kafka = givenKafkaSettings(config);
  return new Rejects({
    streams,
    lakeOf: (stream, deadline) => ({
      stream,
      bucket: rootOf(config),
      store: new S3ObjectStore(s3, rootOf(config), storeGuard(guards.s3, deadline)),
      s3Access: async () => ({
        ...(await s3.config.credentials()),
        region: await s3.config.region(),
        endpoint: config.AWS_ENDPOINT_URL_S3 ?? config.AWS_ENDPOINT_URL,
      }),
    }),
    kafka: kafka === undefined ? undefined : kafkaAccessOf(kafka),
    httpfsPath: config.QUERY_DUCKDB_HTTPFS,
    pipeline,
    logger,
  });
}

function streamDetailsOf(
  config: QueryConfig,
  streams: readonly Stream[],
  { s3 }: AwsClients,
  guards: Guards,
  logger: Logger,
): DescribeStreams {
  const store = new S3ObjectStore(s3, rootOf(config), storeGuard(guards.s3));
  const described = streams.map((stream) => ({ stream, history: new SchemaHistory(store, stream, Date.now) }));
  const onFailure = (error: unknown, { table }: Stream): void =>
    logger.warn({ err: error, table }, 'The schemas of the Iceberg table cannot be read.');
  return async (signal) => await streamDetails(described, config.LAKE_DATABASE, onFailure, signal);
}

function ledgersOf(config: QueryConfig, streams: readonly Stream[], aws: AwsClients, guards: Guards): Ledgers {
  return new Ledgers({
    streams,
    bucket: rootOf(config),
    store: new S3ObjectStore(aws.s3, rootOf(config), storeGuard(guards.s3)),
    catalogOf: lakePlaces(config, aws, guards).catalogOf,
    now: Date.now,
  });
}

function countAnswers(metrics: Metrics): QueryServiceParts['onAnswered'] {
  const answers = metrics.counter({
    name: 'millrace_query_cache_total',
    help: 'Submitted queries by the source of their answer: hit, shared, miss or bypass.',
    labelNames: ['engine', 'result'],
  });
  return ({ engine }, result) => answers.inc({ engine, result });
}

/** The configured secret, or the one that the instances share through Redis. */
function idSecretOf({ QUERY_ID_SECRET: configured }: QueryConfig, shared: SharedIdSecret): QueryServiceParts['idSecret'] {
  return async (limits) => configured ?? (await shared.read(limits));
}
