import { Inject, Module, type BeforeApplicationShutdown, type DynamicModule, type OnApplicationBootstrap } from '@nestjs/common';
import { LakeError } from '@millrace/lake';
import { HealthRegistry, Metrics, PipelineRegistry, PipelinesModule, pipelineToken } from '@millrace/runtime';
import type { Logger } from 'pino';
import type { SinkConfig } from '../config.ts';
import { lakeGuardsOver, projectorPipelinesOf } from '../resilience.ts';
import { openProjectors, type Projectors } from './open-projectors.ts';

const PROJECTORS = Symbol('PROJECTORS');

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
