import { listStreams, type Stream, streams as allStreams } from '@millrace/contracts';
import { CatalogTable, crawlTable, S3ObjectStore, tablePrefix, type CrawlReport } from '@millrace/lake';
import { Inject, Module, type DynamicModule, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import type { EngineName } from '@millrace/contracts';
import { sleep, systemClock, type Pipeline } from '@millrace/resilience';
import { HealthRegistry, Metrics, PipelineRegistry, PipelinesModule, pipelineToken, type Tracing, TRACING } from '@millrace/runtime';
import type { Logger } from 'pino';
import type { QueryConfig } from './config.ts';
import type { QueryEngine } from './engines/query-engine.ts';
import { crawlTelemetry } from './crawl/crawl-telemetry.ts';
import { CrawlWorker } from './crawl/crawl-worker.ts';
import { catalogGuard, storeGuard, type Guards } from './guards.ts';
import { guardsOver, pipelinesOf } from './resilience.ts';
import { ResultKeeper } from './queries/cache/result-keeper.ts';
import { RedisAnswers } from './queries/cache/shared-answers.ts';
import { priceOf } from './queries/estimate/price.ts';
import { ReportAnswers } from './queries/report-answers.ts';
import { QueryWorker } from './queries/query-worker.ts';
import { queryTelemetry } from './queries/query-telemetry.ts';
import type { QueryOutcome } from './queries/query-record.ts';
import { runQuery, type QueryRun } from './queries/run-query.ts';
import { tracedRun } from './queries/traced-run.ts';
import {
  allowedTables,
  cacheParts,
  lakePlaces,
  layoutParts,
  queryEngines,
  queryParts,
  redisPlace,
  registerEngineChecks,
  registerStoreChecks,
  resultLimits,
  type QueryParts,
  rootOf,
} from './query-parts.ts';
import { workerConnection } from '@millrace/redis';
import { StatementGate } from './statement/statement-gate.ts';

const PARTS = Symbol('QUERY_PARTS');
const ENGINES = Symbol('QUERY_ENGINES');
const CONFIG = Symbol('QUERY_CONFIG');
const GUARDS = Symbol('QUERY_GUARDS');
const CRAWLER = Symbol('QUERY_CRAWLER');

/** Interval between two polls for a request to cancel, in milliseconds. */
const cancelPollMs = 500;

/** Time limit of the check whether a table holds the events that a query waits for, in milliseconds. */
const coverMsMax = 5000;

/** Queries that a worker runs at once on each engine. */
const concurrencyOf: Record<QueryConfig['QUERY_DEFAULT_ENGINE'], (config: QueryConfig) => number> = {
  duckdb: (config) => config.QUERY_DUCKDB_CONCURRENCY,
  athena: (config) => config.QUERY_ATHENA_CONCURRENCY,
  trino: (config) => config.QUERY_TRINO_CONCURRENCY,
};

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, { clock: systemClock, signal });
}

/** The composition root of the worker, which runs the queries that the API queues. */
@Module({})
export class QueryWorkerModule implements OnApplicationBootstrap, OnModuleDestroy {
  constructor(
    @Inject(CONFIG) private readonly config: QueryConfig,
    @Inject(PARTS) private readonly parts: QueryParts,
    @Inject(ENGINES) private readonly engines: readonly QueryEngine[],
    @Inject(StatementGate) private readonly gate: StatementGate,
    @Inject(QueryWorker) private readonly worker: QueryWorker,
    @Inject(CRAWLER) private readonly crawler: CrawlWorker | undefined,
    @Inject(HealthRegistry) health: HealthRegistry,
    @Inject(GUARDS) guards: Guards,
  ) {
    registerStoreChecks(health, parts);
    registerEngineChecks(health, config, parts, engines, guards);
  }

  /** @param list Streams whose tables may be queried. Default: every declared stream. */
  static of(config: QueryConfig, logger: Logger, list: readonly Stream[] = allStreams): DynamicModule {
    const streams = listStreams(list);
    return {
      module: QueryWorkerModule,
      imports: [PipelinesModule.forRoot(pipelinesOf(config, 'worker'))],
      providers: [
        { provide: CONFIG, useValue: config },
        // The token makes sure that the pipelines are made first.
        {
          provide: GUARDS,
          inject: [PipelineRegistry, pipelineToken('redis')],
          useFactory: (registry: PipelineRegistry) => guardsOver(registry),
        },
        {
          provide: PARTS,
          inject: [PipelineRegistry, pipelineToken('redis')],
          useFactory: async (registry: PipelineRegistry) => await queryParts(config, registry, logger),
        },
        {
          provide: ENGINES,
          inject: [PARTS, GUARDS],
          useFactory: (parts: QueryParts, guards: Guards) => queryEngines(config, streams, parts, guards, pause),
        },
        {
          provide: CRAWLER,
          inject: [PARTS, GUARDS, Metrics],
          useFactory: (parts: QueryParts, guards: Guards, metrics: Metrics) => crawlerOf(config, streams, parts, guards, metrics, logger),
        },
        { provide: StatementGate, useFactory: async () => await StatementGate.create(allowedTables(config, streams)) },
        {
          provide: QueryWorker,
          inject: [PARTS, ENGINES, StatementGate, Metrics, pipelineToken('report'), PipelineRegistry, GUARDS, TRACING],
          useFactory: (
            parts: QueryParts,
            engines: readonly QueryEngine[],
            gate: StatementGate,
            metrics: Metrics,
            report: Pipeline,
            registry: PipelineRegistry,
            guards: Guards,
            tracing: Tracing | undefined,
          ) => {
            const { queue, results } = parts;
            const { versions, cache } = cacheParts(config, streams, parts, registry);
            const answers = new ReportAnswers(report, new RedisAnswers(parts.redis, config.QUERY_QUEUE_NAME, registry.get('cache')));
            const redis = workerConnection(redisPlace(config), (error) =>
              logger.warn({ err: error }, 'The connection to Redis reported an error.'),
            );
            const { layouts, coverage } = layoutParts(config, streams, gate, parts.aws, guards);
            const environment = {
              layouts,
              coverage,
              engines: new Map(engines.map((engine) => [engine.name, engine])),
              results,
              limits: resultLimits(config),
              now: Date.now,
              newWriterId: () => crypto.randomUUID(),
              after: (ms: number, callback: () => void) => {
                const timer = setTimeout(callback, ms);
                return () => clearTimeout(timer);
              },
              answerReport: async (...args: Parameters<ReportAnswers['answer']>) => await answers.answer(...args),
              priceOf: (engine: EngineName, bytesScanned: number) => priceOf(engine, bytesScanned, config.QUERY_ATHENA_USD_PER_TB),
              keeper: new ResultKeeper({
                gate,
                streams,
                versions,
                keep: async (key, result) => await cache.keep(key, result),
                onFailure: (error) => logger.warn({ err: error }, 'A result could not be kept for later queries.'),
              }),
              onProgressLost: (error: unknown) => logger.warn({ err: error }, 'The progress of a query could not be kept yet; it goes on.'),
              onFailure: (error: unknown) => logger.warn({ err: error }, 'A query failed for a reason on our side.'),
            };
            const run = async (query: QueryRun): Promise<QueryOutcome> => await runQuery(query, environment);
            return new QueryWorker(
              redis,
              queue,
              {
                queueName: config.QUERY_QUEUE_NAME,
                concurrency: new Map(config.QUERY_ENGINES.map((engine) => [engine, concurrencyOf[engine](config)])),
                lockMs: config.QUERY_LOCK_MS,
                takeoversMax: config.QUERY_TAKEOVERS_MAX,
                cancelPollMs,
              },
              tracing === undefined ? run : tracedRun(run, tracing, config.QUERY_QUEUE_NAME, Date.now),
              async (data) => await coverage.isCovered(data, AbortSignal.timeout(coverMsMax)),
              queryTelemetry(logger, metrics),
            );
          },
        },
      ],
    };
  }

  onApplicationBootstrap(): void {
    this.worker.start();
    this.crawler?.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.crawler?.close();
    await this.worker.close(this.config.QUERY_DRAIN_SECONDS * 1000);
    await Promise.all(this.engines.map(async (engine) => await engine.close()));
    await this.parts.close();
    this.gate.close();
  }
}

/** The crawler; undefined while it is off. */
function crawlerOf(
  config: QueryConfig,
  streams: readonly Stream[],
  { aws }: QueryParts,
  guards: Guards,
  metrics: Metrics,
  logger: Logger,
): CrawlWorker | undefined {
  if (config.QUERY_CRAWL_SECONDS === 0) return undefined;
  const store = new S3ObjectStore(aws.s3, rootOf(config), storeGuard(guards.s3));
  const { catalogOf } = lakePlaces(config, aws, guards);
  const redis = workerConnection(redisPlace(config), (error) =>
    logger.warn({ err: error }, 'The connection of the crawler to Redis reported an error.'),
  );
  return new CrawlWorker(
    redis,
    { queueName: config.QUERY_QUEUE_NAME, everySeconds: config.QUERY_CRAWL_SECONDS },
    async (signal) => {
      const reports: CrawlReport[] = [];
      for (const stream of streams) {
        const { table, partitionKey } = stream;
        const parts = {
          store,
          catalog: catalogOf(stream),
          glue: new CatalogTable(aws.glue, config.LAKE_DATABASE, table, catalogGuard(guards.glue)),
          table,
          location: `s3://${rootOf(config)}/${tablePrefix(table)}`,
          database: config.LAKE_DATABASE,
          partitionKey,
          now: Date.now,
        };
        reports.push(await crawlTable(parts, config.QUERY_CRAWL_POLICY, { signal }));
      }
      return reports;
    },
    crawlTelemetry(logger, metrics),
  );
}
