import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { Inject, Module, type BeforeApplicationShutdown, type DynamicModule, type OnApplicationBootstrap } from '@nestjs/common';
import { streams, type Stream } from '@millrace/contracts';
import { GluePointer, LakeError, Projection, projectionPrefix, rowsInFooter, S3ObjectStore } from '@millrace/lake';
import { systemClock } from '@millrace/resilience';
import { HealthRegistry, Metrics, PipelineRegistry, PipelinesModule, pipelineToken } from '@millrace/runtime';
import type { Logger } from 'pino';
import { sinkClients } from '../aws/aws-clients.ts';
import { configuredStream, type SinkConfig } from '../config.ts';
import { lakeGuardsOver, projectorPipelinesOf, type SinkGuards } from '../resilience.ts';
import { gaugeProjectors, projectorTelemetry } from './projector-telemetry.ts';
import { Projector } from './projector.ts';

const PROJECTORS = Symbol('PROJECTORS');

/** The parts of a running projector process. */
interface Projectors {
  readonly store: S3ObjectStore;
  readonly all: readonly Projector[];
}

/** Creates a projector for each stream. Connects nothing yet. */
function openProjectors(config: SinkConfig, logger: Logger, metrics: Metrics, guards: Pick<SinkGuards, 's3' | 'glue'>): Projectors {
  const { s3, glue } = sinkClients(config);
  const bucket = config.LAKE_BUCKET;
  const store = new S3ObjectStore(s3, bucket, guards.s3);
  const writer = `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`;
  const observer = projectorTelemetry(logger, metrics);
  const projectorOf = (stream: Stream): Projector => {
    const projection = new Projection({
      store,
      bucket,
      stream,
      catalog: new GluePointer(glue, stream, `s3://${bucket}/${projectionPrefix(stream.table)}`, guards.glue),
      writer,
      now: Date.now,
      newId: randomUUID,
      rowsOf: async (key, bytes) => await rowsInFooter(store, key, bytes),
      onPointerFailure: (error) =>
        logger.warn({ table: stream.table, err: error }, 'The catalog did not move to the newest commit; the next round moves it.'),
    });
    return new Projector(stream.table, projection, { everyMs: config.PROJECTOR_INTERVAL_SECONDS * 1000, clock: systemClock, observer });
  };
  const all = streams.map((stream) => projectorOf(configuredStream(config, stream)));
  gaugeProjectors(metrics, all);
  return { store, all };
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

  onApplicationBootstrap(): void {
    for (const projector of this.#projectors.all) projector.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all(this.#projectors.all.map(async (projector) => await projector.stop()));
  }
}
