import 'reflect-metadata';
import { sinkApi } from '@millrace/contracts';
import { authFrom, createLogger, runMain, runService } from '@millrace/runtime';
import { readSinkConfig } from './config.ts';
import { SINK, SinkModule } from './sink.module.ts';
import type { Sink } from './sink.ts';

await runMain(async () => {
  const config = readSinkConfig();
  const logger = createLogger({ name: 'sink', level: config.LOG_LEVEL });
  await runService({
    name: 'sink',
    module: SinkModule.of(config, logger),
    host: config.SINK_HOST,
    port: config.SINK_PORT,
    logger,
    auth: authFrom(config),
    api: sinkApi,
    drainDelayMs: config.MILLRACE_DRAIN_DELAY_MS,
    shutdownMsMax: config.SINK_SHUTDOWN_SECONDS * 1000,
    configure: async (app) => {
      app.connectMicroservice({ strategy: app.get<Sink>(SINK).strategy });
      await app.startAllMicroservices();
    },
  });
});
