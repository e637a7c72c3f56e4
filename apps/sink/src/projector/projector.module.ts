import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { Inject, Module, type BeforeApplicationShutdown, type DynamicModule, type OnApplicationBootstrap } from '@nestjs/common';
import { streams, type Stream } from '@millrace/contracts';
import {
  Compaction,
  defaultCompaction,
  defaultRetention,
  GluePointer,
  LakeError,
  Projection,
  projectionPrefix,
  rowsInFooter,
  S3ObjectStore,
  Sweep,
  lakeRoot,
} from '@millrace/lake';
import { systemClock } from '@millrace/resilience';
import { HealthRegistry, Metrics, PipelineRegistry, PipelinesModule, pipelineToken } from '@millrace/runtime';
import type { Logger } from 'pino';
import { sinkClients } from '../aws/aws-clients.ts';
import { configuredStream, type SinkConfig } from '../config.ts';
import { lakeGuardsOver, projectorPipelinesOf, type SinkGuards } from '../resilience.ts';
import { DuckDbRewriter, removeLeftovers } from './compaction/duckdb-rewriter.ts';
import { gaugeProjectors, projectorTelemetry } from './projector-telemetry.ts';
import { Projector } from './projector.ts';
import { gaugeUpkeep, upkeepTelemetry } from './upkeep-telemetry.ts';
import { Upkeep } from './upkeep/upkeep.ts';

const PROJECTORS = Symbol('PROJECTORS');

/** The parts of a running projector process. */
interface Projectors {
  readonly store: S3ObjectStore;
  readonly all: readonly Projector[];
  readonly upkeep: Upkeep;
  /** Directory of the files in progress of every projector of this machine. */
  readonly scratch: string;
}

/** Creates a projector for each stream. Connects nothing yet. */
function openProjectors(config: SinkConfig, logger: Logger, metrics: Metrics, guards: Pick<SinkGuards, 's3' | 'glue'>): Projectors {
  const { s3, glue } = sinkClients(config);
  const bucket = lakeRoot(config.LAKE_BUCKET, config.LAKE_PREFIX);
  const store = new S3ObjectStore(s3, bucket, guards.s3);
  const writer = `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`;
  const observer = projectorTelemetry(logger, metrics);
  const scratch = join(config.MILLRACE_HOME, 'projector');
  const projectionOf = (stream: Stream): Projection =>
    new Projection({
      store,
      bucket,
      stream,
      catalog: new GluePointer(glue, stream, `s3://${bucket}/${projectionPrefix(stream.table)}`, guards.glue),
      writer,
      retention: { ...defaultRetention, ageMs: config.PROJECTOR_SNAPSHOT_SECONDS * 1000 },
      now: Date.now,
      newId: randomUUID,
      rowsOf: async (key, bytes) => await rowsInFooter(store, key, bytes),
      onPointerFailure: (error) =>
        logger.warn({ table: stream.table, err: error }, 'The catalog did not move to the newest commit; the next round moves it.'),
    });
  const rewriter = {
    memoryMbMax: config.PROJECTOR_COMPACTION_MEMORY_MB,
    threads: config.SINK_ENCODER_THREADS,
    spillMbMax: config.PROJECTOR_COMPACTION_SPILL_MB_MAX,
    directory: join(scratch, `pid-${process.pid}`),
  };
  const limits = {
    ...defaultCompaction,
    filesMin: config.PROJECTOR_COMPACTION_FILES_MIN,
    targetBytes: config.PROJECTOR_COMPACTION_TARGET_BYTES,
  };
  const tables = streams
    .map((stream) => configuredStream(config, stream))
    .map((stream) => ({ table: stream.table, stream, projection: projectionOf(stream) }));
  const all = tables.map(
    ({ table, projection }) =>
      new Projector(table, projection, { everyMs: config.PROJECTOR_INTERVAL_SECONDS * 1000, clock: systemClock, observer }),
  );
  const kept = tables.map(({ table, stream, projection }) => ({
    table,
    compaction: new Compaction(projection.table, new DuckDbRewriter(store, stream, rewriter), { limits }),
    sweep: new Sweep(projection.table, { graceMs: config.PROJECTOR_GRACE_SECONDS * 1000 }),
  }));
  const upkeep = new Upkeep(kept, {
    compactEveryMs: config.PROJECTOR_COMPACTION_SECONDS * 1000,
    sweepEveryMs: config.PROJECTOR_SWEEP_SECONDS * 1000,
    clock: systemClock,
    observer: upkeepTelemetry(logger, metrics),
  });
  gaugeProjectors(metrics, all);
  gaugeUpkeep(
    metrics,
    tables.map(({ table }) => table),
    upkeep,
  );
  return { store, all, upkeep, scratch };
}

/** The composition root of the projector, which commits landed files to the Iceberg tables. */
@Module({})
export class ProjectorModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #projectors: Projectors;

  constructor(@Inject(PROJECTORS) projectors: Projectors, @Inject(HealthRegistry) health: HealthRegistry) {
    this.#projectors = projectors;
    health.register('s3', {
      required: false,
      timeoutMs: 2000,
      check: async (signal) => void (await projectors.store.list('_ledger/', { limit: 1, signal })),
    });
    for (const projector of projectors.all) {
      // A failure that a retry cannot cure needs an operator. During an outage the table is only late.
      health.register(`iceberg-${projector.table}`, {
        required: true,
        check: async () => {
          const { failure } = projector;
          if (failure instanceof LakeError && !failure.retryable) throw failure;
        },
      });
    }
  }

  static of(config: SinkConfig, logger: Logger): DynamicModule {
    return {
      module: ProjectorModule,
      imports: [PipelinesModule.forRoot(projectorPipelinesOf(config))],
      providers: [
        {
          provide: PROJECTORS,
          // The tokens make sure that the pipelines are made first.
          inject: [Metrics, PipelineRegistry, pipelineToken('s3'), pipelineToken('glue')],
          useFactory: (metrics: Metrics, pipelines: PipelineRegistry) => openProjectors(config, logger, metrics, lakeGuardsOver(pipelines)),
        },
      ],
    };
  }

  async onApplicationBootstrap(): Promise<void> {
    const { all, upkeep, scratch } = this.#projectors;
    await removeLeftovers(scratch);
    for (const projector of all) projector.start();
    upkeep.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    const { all, upkeep } = this.#projectors;
    await Promise.all([upkeep, ...all].map(async (running) => await running.stop()));
  }
}
