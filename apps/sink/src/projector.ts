import 'reflect-metadata';
import { projectorApi } from '@millrace/contracts';
import { authFrom, createLogger, runMain, runService } from '@millrace/runtime';
import { readSinkConfig } from './config.ts';
import { ProjectorModule } from './projector/projector.module.ts';

await runMain(async () => {
  const config = readSinkConfig();
  const logger = createLogger({ name: 'projector', level: config.LOG_LEVEL });
  await runService({
    name: 'projector',
    module: ProjectorModule.of(config, logger),
    host: config.SINK_HOST,
    port: config.PROJECTOR_PORT,
    logger,
    auth: authFrom(config),
    api: projectorApi,
    drainDelayMs: config.MILLRACE_DRAIN_DELAY_MS,
    shutdownMsMax: config.SINK_SHUTDOWN_SECONDS * 1000,
  });
});
