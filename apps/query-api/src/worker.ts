import 'reflect-metadata';
import { queryWorkerApi } from '@millrace/contracts';
import { authFrom, createLogger, runMain, runService } from '@millrace/runtime';
import { readQueryConfig } from './config.ts';
import { QueryWorkerModule } from './query-worker.module.ts';

await runMain(async () => {
  const config = readQueryConfig();
  const logger = createLogger({ name: 'query-worker', level: config.LOG_LEVEL });
  await runService({
    name: 'query-worker',
    module: QueryWorkerModule.of(config, logger),
    host: config.QUERY_HOST,
    port: config.QUERY_WORKER_PORT,
    logger,
    auth: authFrom(config),
    api: queryWorkerApi,
    drainDelayMs: config.MILLRACE_DRAIN_DELAY_MS,
    // Handing over and closing take a moment after the drain.
    shutdownMsMax: (config.QUERY_DRAIN_SECONDS + 10) * 1000,
  });
});
