import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { Logger } from 'pino';
import { ProcessLoad } from '../../load/process-load.ts';
import { LOGGER } from '../../service/tokens.ts';
import { PipelineRegistry } from '../pipeline-registry.ts';

/** Longest wait for running work after everything else has stopped, in milliseconds. Then the process abandons the work. */
const drainMsMax = 5000;

/** Drains and closes the pipelines at the end of the service. It runs last, because closing modules may still make calls. */
@Injectable()
export class PipelineShutdown implements OnApplicationShutdown {
  readonly #registry: PipelineRegistry;
  readonly #load: ProcessLoad;
  readonly #logger: Logger;

  constructor(
    @Inject(PipelineRegistry) registry: PipelineRegistry,
    @Inject(ProcessLoad) load: ProcessLoad,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.#registry = registry;
    this.#load = load;
    this.#logger = logger;
    load.start();
  }

  async onApplicationShutdown(): Promise<void> {
    const drainSignal = AbortSignal.timeout(drainMsMax);
    await Promise.all(
      this.#registry.list().map(async (pipeline) => {
        try {
          await pipeline.drain({ signal: drainSignal });
        } catch {
          const { inFlight, zombies } = pipeline.snapshot();
          this.#logger.warn(
            { pipeline: pipeline.name, inFlight, zombies },
            `${inFlight} calls of ${pipeline.name} had not ended after ${drainMsMax} ms and were abandoned.`,
          );
        } finally {
          pipeline.close();
        }
      }),
    );
    this.#load.stop();
  }
}
