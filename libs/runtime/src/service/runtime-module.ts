import { type DynamicModule, Global, Module } from '@nestjs/common';
import type { Logger } from 'pino';
import { HealthController } from '../health/health-controller.ts';
import { HealthRegistry } from '../health/health-registry.ts';
import { Metrics } from '../metrics/metrics.ts';
import { MetricsController } from '../metrics/metrics-controller.ts';
import { PipelineRegistry } from '../pipelines/pipeline-registry.ts';
import { Lifecycle } from './lifecycle.ts';

/** Injection token of the process's pino logger. */
export const LOGGER = Symbol('LOGGER');

/** What every service shares. */
export interface RuntimeModuleOptions {
  /** Name of the service. */
  readonly name: string;
  readonly logger: Logger;
}

/** Gives every module the logger, health, metrics, pipelines and lifecycle, and serves `/health` and `/metrics`. */
@Global()
@Module({})
export class RuntimeModule {
  static forRoot({ name, logger }: RuntimeModuleOptions): DynamicModule {
    return {
      module: RuntimeModule,
      controllers: [HealthController, MetricsController],
      providers: [
        { provide: LOGGER, useValue: logger },
        { provide: HealthRegistry, useFactory: () => new HealthRegistry({ service: name }) },
        { provide: Metrics, useFactory: () => new Metrics(name) },
        { provide: PipelineRegistry, useFactory: () => new PipelineRegistry() },
        { provide: Lifecycle, useFactory: () => new Lifecycle() },
      ],
      exports: [LOGGER, HealthRegistry, Metrics, PipelineRegistry, Lifecycle],
    };
  }
}
