import 'reflect-metadata';
import { queryApi, queryLimits } from '@millrace/contracts';
import { authFrom, createLogger, runMain, runService } from '@millrace/runtime';
import { readQueryConfig } from './config.ts';
import { QueryApiModule } from './query-api.module.ts';

await runMain(async () => {
  const config = readQueryConfig();
  const logger = createLogger({ name: 'query-api', level: config.LOG_LEVEL });
  await runService({
    name: 'query-api',
    module: QueryApiModule.of(config, logger),
    host: config.QUERY_HOST,
    port: config.QUERY_PORT,
    logger,
    auth: authFrom(config),
    api: queryApi,
    admission: 'http',
    bodyBytesMax: queryLimits.bodyBytesMax,
    drainDelayMs: config.MILLRACE_DRAIN_DELAY_MS,
  });
});
