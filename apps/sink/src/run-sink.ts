import { sinkApi, type Stream } from '@millrace/contracts';
import { authFrom, createLogger, runService } from '@millrace/runtime';
import { readSinkConfig } from './config.ts';
import { SINKS, SinkModule } from './sink.module.ts';
import type { Sink } from './sink.ts';

/** Runs the sink of some streams until a signal ends the process. `SINK_STREAMS` chooses among them. */
export async function runSink(streams: readonly Stream[]): Promise<void> {
  const config = readSinkConfig();
  const logger = createLogger({ name: 'sink', level: config.LOG_LEVEL });
  await runService({
    name: 'sink',
    module: SinkModule.of(config, logger, streams),
    host: config.SINK_HOST,
    port: config.SINK_PORT,
    logger,
    auth: authFrom(config),
    api: sinkApi,
    drainDelayMs: config.MILLRACE_DRAIN_DELAY_MS,
    shutdownMsMax: config.SINK_SHUTDOWN_SECONDS * 1000,
    configure: async (app) => {
      for (const { strategy } of app.get<readonly Sink[]>(SINKS)) app.connectMicroservice({ strategy });
      await app.startAllMicroservices();
    },
  });
}
