import { type HttpApi, openApiOf } from '@millrace/contracts';
import { type DynamicModule, Global, Module } from '@nestjs/common';
import { metrics as openTelemetry } from '@opentelemetry/api';
import type { Logger } from 'pino';
import { addJwksPipeline, jwksSpec } from '../auth/jwks-pipeline.ts';
import type { AuthOptions } from '../auth/protect.ts';
import { DocsController, OPEN_API } from '../docs/docs-controller.ts';
import { runtimeOperations } from '../docs/runtime-operations.ts';
import { HealthController } from '../health/health-controller.ts';
import { HealthRegistry } from '../health/health-registry.ts';
import { Metrics } from '../metrics/metrics.ts';
import { MetricsController } from '../metrics/metrics-controller.ts';
import { ProcessLoad } from '../load/process-load.ts';
import { PipelineAdmin } from '../pipelines/admin/pipeline-admin.ts';
import { PipelinesController } from '../pipelines/admin/pipelines-controller.ts';
import { HystrixCommands } from '../pipelines/hystrix/hystrix-commands.ts';
import { HystrixController } from '../pipelines/hystrix/hystrix-controller.ts';
import { HystrixStream } from '../pipelines/hystrix/hystrix-stream.ts';
import { PipelineShutdown } from '../pipelines/nest/pipeline-shutdown.ts';
import { DependencyErrors } from '../pipelines/dependency-errors.ts';
import { checkPipelines } from '../pipelines/pipeline-health.ts';
import { PipelineRegistry } from '../pipelines/pipeline-registry.ts';
import { openTelemetryInstruments } from '../pipelines/telemetry/open-telemetry-instruments.ts';
import { logPipelines } from '../pipelines/telemetry/pipeline-log.ts';
import { measurePipelines } from '../pipelines/telemetry/pipeline-telemetry.ts';
import { prometheusInstruments } from '../pipelines/telemetry/prometheus-instruments.ts';
import { type Tracing, TRACING } from '../tracing/tracing.ts';
import { Lifecycle } from './lifecycle.ts';
import { LOGGER } from './tokens.ts';

/** Options of {@link RuntimeModule.forRoot}. */
export interface RuntimeModuleOptions {
  /** Name of the service, in its metrics and in `/health`. */
  readonly name: string;
  /** Logger of the process, also for changes of pipelines. Every module may inject it as `LOGGER`. */
  readonly logger: Logger;
  /** Accepted credentials. `jwt` adds the pipeline `jwks`. Default: authentication is off. */
  readonly auth?: AuthOptions;
  /** Routes of the service, for `/openapi.json` and `/docs`. Default: the service has neither path. */
  readonly api?: HttpApi;
  /** Where spans begin. Every module may inject it as `TRACING`. Default: tracing is off. */
  readonly tracing?: Tracing;
}

/**
 * Gives every module the logger, health, metrics, pipelines and lifecycle. It serves `/health`, `/metrics`, `/hystrix.stream` and
 * `/admin/pipelines`, and `/openapi.json` and `/docs` for a service that describes its routes.
 */
@Global()
@Module({})
export class RuntimeModule {
  /** The module of one process; `startService` imports it. */
  static forRoot({ name, logger, auth = {}, api, tracing }: RuntimeModuleOptions): DynamicModule {
    return {
      module: RuntimeModule,
      controllers: [
        HealthController,
        MetricsController,
        HystrixController,
        PipelinesController,
        ...(api === undefined ? [] : [DocsController]),
      ],
      providers: [
        ...(api === undefined
          ? []
          : [{ provide: OPEN_API, useValue: openApiOf({ ...api, operations: [...api.operations, ...runtimeOperations] }) }]),
        { provide: LOGGER, useValue: logger },
        { provide: TRACING, useFactory: () => tracing },
        { provide: HealthRegistry, useFactory: () => new HealthRegistry({ service: name }) },
        { provide: Metrics, useFactory: () => new Metrics(name) },
        { provide: Lifecycle, useFactory: () => new Lifecycle() },
        { provide: ProcessLoad, useFactory: () => new ProcessLoad() },
        {
          provide: PipelineRegistry,
          inject: [Metrics, HealthRegistry, ProcessLoad],
          useFactory: (metrics: Metrics, health: HealthRegistry, load: ProcessLoad) => {
            const registry = observedRegistry(metrics, health, logger);
            if (auth.jwt !== undefined) addJwksPipeline(auth.jwt.jwks ?? jwksSpec, { registry, load, logger });
            return registry;
          },
        },
        { provide: PipelineAdmin, inject: [PipelineRegistry], useFactory: (registry: PipelineRegistry) => new PipelineAdmin(registry) },
        {
          provide: HystrixStream,
          inject: [PipelineRegistry, Lifecycle],
          useFactory: (registry: PipelineRegistry, { stopping }: Lifecycle) => hystrixStream(registry, name, stopping),
        },
        PipelineShutdown,
      ],
      exports: [LOGGER, TRACING, HealthRegistry, Metrics, PipelineRegistry, ProcessLoad, Lifecycle],
    };
  }
}

function observedRegistry(metrics: Metrics, health: HealthRegistry, logger: Logger): PipelineRegistry {
  const registry = new PipelineRegistry();
  measurePipelines(registry, [prometheusInstruments(metrics), openTelemetryInstruments(openTelemetry.getMeter('millrace'))]);
  logPipelines(registry, logger);
  const errors = new DependencyErrors(registry, logger);
  const lastErrorOf = (pipeline: string): string | undefined => errors.lastError(pipeline);
  checkPipelines(registry, health, lastErrorOf);
  health.lastErrorOf = lastErrorOf;
  return registry;
}

function hystrixStream(registry: PipelineRegistry, service: string, stopping: AbortSignal): HystrixStream {
  const commands = new HystrixCommands(registry, { service });
  const stream = new HystrixStream({ commands: () => commands.list() });
  stopping.addEventListener('abort', () => stream.close(), { once: true });
  return stream;
}
