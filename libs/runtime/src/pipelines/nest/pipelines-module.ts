import { type DynamicModule, type InjectionToken, Module, type ModuleMetadata } from '@nestjs/common';
import type { Logger } from 'pino';
import { ProcessLoad } from '../../load/process-load.ts';
import { LOGGER } from '../../service/tokens.ts';
import { makePipelines, type PipelinesOptions } from '../make-pipelines.ts';
import { PipelineRegistry } from '../pipeline-registry.ts';
import { pipelineToken } from './pipeline-token.ts';

/** Pipelines whose specs need providers of Nest: a queue, a stub that reads a table. */
export interface PipelinesFactory extends Pick<ModuleMetadata, 'imports'> {
  /** Names of the pipelines that the factory gives. */
  readonly names: readonly string[];
  /** Providers that the factory is given. Default: none. */
  readonly inject?: readonly InjectionToken[];
  /** Gives the pipelines; its specs must have just the `names`. */
  readonly useFactory: (...providers: never[]) => PipelinesOptions | Promise<PipelinesOptions>;
}

const MADE = Symbol('millrace:pipelines');

/** Makes the named pipelines of a service, for every module to inject with `@InjectPipeline(name)` and for methods under `@UsePipeline(name)`. */
@Module({})
export class PipelinesModule {
  /** Pipelines whose specs are known at once. The start fails with `ConfigError` when they contradict themselves and with `StartRefusedError` when a request could cost more than the limit. */
  static forRoot(options: PipelinesOptions): DynamicModule {
    return PipelinesModule.forRootAsync({ names: Object.keys(options.specs), useFactory: () => options });
  }

  /** The same for specs that a factory gives. */
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
          useFactory: (given: PipelinesOptions, registry: PipelineRegistry, load: ProcessLoad, logger: Logger) => makePipelines(given, { registry, load, logger }),
        },
        ...names.map((name) => ({ provide: pipelineToken(name), inject: [PipelineRegistry, MADE], useFactory: (registry: PipelineRegistry) => registry.get(name) })),
      ],
      exports: names.map(pipelineToken),
    };
  }
}
