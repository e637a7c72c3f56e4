import { Inject, Injectable, Module, type BeforeApplicationShutdown, type DynamicModule } from '@nestjs/common';
import { HealthRegistry, Metrics, PipelineRegistry, pipelineToken, PipelinesModule } from '@millrace/runtime';
import { auditTable, isLakeError } from '@millrace/lake';
import { systemClock } from '@millrace/resilience';
import type { Logger } from 'pino';
import { AuditController } from './audit/audit.controller.ts';
import { AuditRuns } from './audit/audit-runs.ts';
import { auditEvery } from './audit/audit-schedule.ts';
import { auditTelemetry } from './audit/audit-telemetry.ts';
import type { SinkConfig } from './config.ts';
import { laneHealth } from './lane/lane-health.ts';
import { Lanes } from './lane/lanes.ts';
import { guardsOver, sinkPipelines, sinkPipelinesOf } from './resilience.ts';
import { SinkController } from './sink.controller.ts';
import { openSink, streamOf, type Sink } from './sink.ts';

/** Injection token of the {@link Sink}. */
export const SINK = Symbol('SINK');

/** Ties the sink to the life of the process. */
@Injectable()
class SinkLife implements BeforeApplicationShutdown {
  readonly #sink: Sink;

  constructor(@Inject(SINK) sink: Sink, @Inject(HealthRegistry) health: HealthRegistry) {
    this.#sink = sink;
    health.register('kafka', {
      required: true,
      check: async () => {
        const trouble = sink.groupTrouble();
        if (trouble !== undefined) throw new Error(trouble);
      },
    });
    health.register('disk', {
      required: true,
      check: async () => {
        if (sink.disk.failure !== undefined) throw sink.disk.failure;
      },
    });
    // Without S3 the sink continues on its own disk. Only a starting lane needs S3, and the check of the lanes reports it.
    health.register('s3', {
      required: false,
      timeoutMs: 2000,
      check: async (signal) => {
        if (isLakeError(sink.admission.failure, 'unsound-store')) throw sink.admission.failure;
        await sink.store.list('_ledger/', { limit: 1, signal });
      },
    });
    // Durability does not depend on the catalog: without it the sink continues.
    health.register('glue', {
      required: false,
      timeoutMs: 2000,
      check: async (signal) => void (await sink.catalog.partitions({ signal })),
    });
    health.register('lanes', { required: true, check: async () => laneHealth(sink) });
  }

  /** Before the transport closes: landing needs the group membership, and commits go through it. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.#sink.close();
  }
}

/** Ties the audits to the life of the process. */
class AuditLife implements BeforeApplicationShutdown {
  readonly #runs: AuditRuns;
  readonly #stop: () => void;

  constructor(runs: AuditRuns, everyMs: number) {
    this.#runs = runs;
    this.#stop = auditEvery(everyMs, async () => await runs.audit(), systemClock, Math.random);
  }

  beforeApplicationShutdown(): void {
    this.#stop();
    this.#runs.close();
  }
}

/** The sink's composition root. */
@Module({})
export class SinkModule {
  static of(config: SinkConfig, logger: Logger): DynamicModule {
    return {
      module: SinkModule,
      imports: [PipelinesModule.forRoot(sinkPipelinesOf(config))],
      controllers: [SinkController, AuditController],
      providers: [
        {
          provide: SINK,
          inject: [Metrics, PipelineRegistry, ...Object.keys(sinkPipelines).map(pipelineToken)],
          useFactory: async (metrics: Metrics, pipelines: PipelineRegistry) =>
            await openSink(config, logger, metrics, guardsOver(pipelines)),
        },
        { provide: Lanes, inject: [SINK], useFactory: (sink: Sink) => sink.lanes },
        {
          provide: AuditRuns,
          inject: [SINK, Metrics],
          useFactory: ({ store, catalog }: Sink, metrics: Metrics) =>
            new AuditRuns(
              async (signal) => await auditTable({ store, catalog, stream: streamOf(config), signal }),
              { runMsMax: config.SINK_AUDIT_RUN_SECONDS_MAX * 1000 },
              auditTelemetry(logger, metrics, Date.now, config.SINK_AUDIT_SECONDS > 0),
              systemClock,
            ),
        },
        { provide: AuditLife, inject: [AuditRuns], useFactory: (runs: AuditRuns) => new AuditLife(runs, config.SINK_AUDIT_SECONDS * 1000) },
        SinkLife,
      ],
    };
  }
}
