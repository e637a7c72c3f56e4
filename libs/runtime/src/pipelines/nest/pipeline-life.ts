import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { Logger } from 'pino';
import { ProcessLoad } from '../../load/process-load.ts';
import { LOGGER } from '../../service/tokens.ts';
import { PipelineRegistry } from '../pipeline-registry.ts';

/** Longest wait for work that still runs when everything else has stopped, in milliseconds. Work that ignores its signal for longer is left behind. */
const drainMsMax = 5000;

/** Ends the pipelines when the service does: last, because modules that close may still have to call out. */
@Injectable()
export class PipelineLife implements OnApplicationShutdown {
  constructor(
    @Inject(PipelineRegistry) private readonly registry: PipelineRegistry,
    @Inject(ProcessLoad) private readonly load: ProcessLoad,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    load.start();
  }

  async onApplicationShutdown(): Promise<void> {
    const timeIsUp = AbortSignal.timeout(drainMsMax);
    await Promise.all(
      this.registry.list().map(async (pipeline) => {
        try {
          await pipeline.drain({ signal: timeIsUp });
        } catch {
          const { inFlight, zombies } = pipeline.snapshot();
          this.logger.warn({ pipeline: pipeline.name, inFlight, zombies }, `${inFlight} calls of ${pipeline.name} had not ended after ${drainMsMax} ms; they are left behind.`);
        } finally {
          pipeline.close();
        }
      }),
    );
    this.load.stop();
  }
}
