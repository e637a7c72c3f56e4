import { Inject, Injectable, Module, type BeforeApplicationShutdown, type DynamicModule } from '@nestjs/common';
import { auditTable, isLakeError, TableFiles, lakeRoot } from '@millrace/lake';
import { HealthRegistry, Metrics, PipelineRegistry, pipelineToken, PipelinesModule, type Tracing, TRACING } from '@millrace/runtime';
import { systemClock } from '@millrace/resilience';
import { streams as allStreams, type Stream } from '@millrace/contracts';
import type { Logger } from 'pino';
import { AUDITS, AuditController } from './audit/audit.controller.ts';
import { AuditRuns, type RunAudit } from './audit/audit-runs.ts';
import { auditEvery } from './audit/audit-schedule.ts';
import { auditTelemetry } from './audit/audit-telemetry.ts';
import { configuredStreams, isUnnamed, type SinkConfig } from './config.ts';
import { laneHealth } from './lane/lane-health.ts';
import { guardsOver, sinkPipelines, sinkPipelinesOf } from './resilience.ts';
import { LANES, SinkController } from './http/sink.controller.ts';
import { openSink, type Sink } from './sink.ts';

/** Injection token of the sinks, one for each stream. */
export const SINKS = Symbol('SINKS');

/** Ties the sinks to the life of the process. */
@Injectable()
class SinkLife implements BeforeApplicationShutdown {
  readonly #sinks: readonly Sink[];

  constructor(@Inject(SINKS) sinks: readonly Sink[], @Inject(HealthRegistry) health: HealthRegistry) {
    this.#sinks = sinks;
    for (const sink of sinks) registerChecks(health, sink);
  }

  /** Before the transports close: landing needs the group membership, and commits go through it. */
  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all(this.#sinks.map(async (sink) => await sink.close()));
  }
}

function registerChecks(health: HealthRegistry, sink: Sink): void {
  const nameOf = (check: string): string => (isUnnamed(sink.stream) ? check : `${check}-${sink.stream.name}`);
  health.register(nameOf('kafka'), {
    required: true,
    check: async () => {
      const trouble = sink.groupTrouble();
      if (trouble !== undefined) throw new Error(trouble);
    },
  });
  health.register(nameOf('disk'), {
    required: true,
    check: async () => {
      if (sink.disk.failure !== undefined) throw sink.disk.failure;
    },
  });
  // Without S3 the sink continues on its own disk. Only a starting lane needs S3, and the check of the lanes reports it.
  health.register(nameOf('s3'), {
    required: false,
    timeoutMs: 2000,
    check: async (signal) => {
      if (isLakeError(sink.admission.failure, 'unsound-store')) throw sink.admission.failure;
      await sink.store.list('_ledger/', { limit: 1, signal });
    },
  });
  // Durability does not depend on the catalog: without it the sink continues.
  health.register(nameOf('glue'), {
    required: false,
    timeoutMs: 2000,
    check: async (signal) => void (await sink.catalog.partitions({ signal })),
  });
  health.register(nameOf('lanes'), { required: true, check: async () => laneHealth(sink) });
}

/** Ties the audits to the life of the process. */
class AuditLife implements BeforeApplicationShutdown {
  readonly #all: readonly AuditRuns[];
  readonly #stops: readonly (() => void)[];

  constructor(all: readonly AuditRuns[], everyMs: number) {
    this.#all = all;
    this.#stops = all.map((runs) => auditEvery(everyMs, async () => await runs.audit(), systemClock, Math.random));
  }

  beforeApplicationShutdown(): void {
    for (const stop of this.#stops) stop();
    for (const runs of this.#all) runs.close();
  }
}

/** The sink's composition root. */
@Module({})
export class SinkModule {
  /** @param declared Streams of which `SINK_STREAMS` names some. Default: every declared stream. */
  static of(config: SinkConfig, logger: Logger, declared: readonly Stream[] = allStreams): DynamicModule {
    const streams = configuredStreams(config, declared);
    const metricsOf = metricsByStream();
    const loggerOf = (stream: Stream): Logger => (isUnnamed(stream) ? logger : logger.child({ stream: stream.name }));
    return {
      module: SinkModule,
      imports: [PipelinesModule.forRoot(sinkPipelinesOf(config))],
      controllers: [SinkController, AuditController],
      providers: [
        {
          provide: SINKS,
          inject: [Metrics, PipelineRegistry, TRACING, ...Object.keys(sinkPipelines).map(pipelineToken)],
          useFactory: async (metrics: Metrics, pipelines: PipelineRegistry, tracing: Tracing | undefined) => {
            const guards = guardsOver(pipelines);
            return await Promise.all(
              streams.map(async (stream) => await openSink(config, stream, loggerOf(stream), metricsOf(metrics, stream), guards, tracing)),
            );
          },
        },
        {
          provide: LANES,
          inject: [SINKS],
          useFactory: (sinks: readonly Sink[]) => new Map(sinks.map(({ stream, lanes }) => [stream.topic.name, lanes])),
        },
        {
          provide: AUDITS,
          inject: [SINKS, Metrics],
          useFactory: (sinks: readonly Sink[], metrics: Metrics) =>
            new Map(
              sinks.map((sink) => [
                sink.stream.name,
                new AuditRuns(
                  auditOf(sink, lakeRoot(config.LAKE_BUCKET, config.LAKE_PREFIX)),
                  { runMsMax: config.SINK_AUDIT_RUN_SECONDS_MAX * 1000 },
                  auditTelemetry(loggerOf(sink.stream), metricsOf(metrics, sink.stream), Date.now, config.SINK_AUDIT_SECONDS > 0),
                  systemClock,
                ),
              ]),
            ),
        },
        {
          provide: AuditLife,
          inject: [AUDITS],
          useFactory: (audits: ReadonlyMap<string, AuditRuns>) => new AuditLife([...audits.values()], config.SINK_AUDIT_SECONDS * 1000),
        },
        SinkLife,
      ],
    };
  }
}

/** Returns the audit of one table. The manifests that it reads are kept for the next audit. */
function auditOf({ stream, store, catalog }: Sink, bucket: string): RunAudit {
  const projection = new TableFiles({ store, bucket, stream });
  return async (signal) => await auditTable({ store, catalog, stream, projection, signal });
}

/** Returns the metrics of a stream. Those of the purchases have no label of their stream, as before there were others. */
function metricsByStream(): (metrics: Metrics, stream: Stream) => Metrics {
  const parts = new Map<string, Metrics>();
  return (metrics, stream) => {
    if (isUnnamed(stream)) return metrics;
    const part = parts.get(stream.name) ?? metrics.part({ stream: stream.name });
    parts.set(stream.name, part);
    return part;
  };
}
