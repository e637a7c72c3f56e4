import { type DynamicModule, type InjectionToken, Module, type ModuleMetadata } from '@nestjs/common';
import type { Logger } from 'pino';
import { ProcessLoad } from '../../load/process-load.ts';
import { LOGGER } from '../../service/tokens.ts';
import { makePipelines, type PipelinesOptions } from '../make-pipelines.ts';
import { PipelineRegistry } from '../pipeline-registry.ts';
import { pipelineToken } from './pipeline-token.ts';

/** Factory of pipelines whose specs need Nest providers, such as a queue. */
export interface PipelinesFactory extends Pick<ModuleMetadata, 'imports'> {
  /** Names of the pipelines that the factory returns. */
  readonly names: readonly string[];
  /** Providers that the factory gets. Default: none. */
  readonly inject?: readonly InjectionToken[];
  /** Returns the options. The names of its specs must equal `names`. */
  readonly useFactory: (...providers: never[]) => PipelinesOptions | Promise<PipelinesOptions>;
}

const MADE = Symbol('millrace:pipelines');

/** Creates the named pipelines of a service. Every module can use `@InjectPipeline(name)` and `@UsePipeline(name)`. */
@Module({})
export class PipelinesModule {
  /**
   * Creates pipelines from specs. The start fails with `ConfigError` when specs contradict each other, and with `StartRefusedError` when a
   * request may cause more attempts than the limit.
   */
  static forRoot(options: PipelinesOptions): DynamicModule {
    return PipelinesModule.forRootAsync({ names: Object.keys(options.specs), useFactory: () => options });
  }

  /** Does the same for specs from a factory. */
  static forRootAsync({ names, imports = [], inject = [], useFactory }: PipelinesFactory): DynamicModule {
    const options = Symbol('millrace:pipelines-options');
    return {
      module: PipelinesModule,
      global: true,
      imports,
      providers: [
        { provide: options, inject: [...inject], useFactory },
        {
          provide: MADE,
          inject: [options, PipelineRegistry, ProcessLoad, LOGGER],
          useFactory: (given: PipelinesOptions, registry: PipelineRegistry, load: ProcessLoad, logger: Logger) =>
            makePipelines(given, { registry, load, logger }),
        },
        ...names.map((name) => ({
          provide: pipelineToken(name),
          inject: [PipelineRegistry, MADE],
          useFactory: (registry: PipelineRegistry) => registry.get(name),
        })),
      ],
      exports: names.map(pipelineToken),
    };
  }
}
