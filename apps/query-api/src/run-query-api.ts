import { queryApi, queryLimits, type Stream } from '@millrace/contracts';
import { authFrom, createLogger, runService } from '@millrace/runtime';
import { readQueryConfig } from './config.ts';
import { QueryApiModule } from './query-api.module.ts';

/** Runs the HTTP process of the query API over the tables of some streams until a signal ends the process. */
export async function runQueryApi(streams: readonly Stream[]): Promise<void> {
  const config = readQueryConfig();
  const logger = createLogger({ name: 'query-api', level: config.LOG_LEVEL });
  await runService({
    name: 'query-api',
    module: QueryApiModule.of(config, logger, streams),
    host: config.QUERY_HOST,
    port: config.QUERY_PORT,
    logger,
    auth: authFrom(config),
    api: queryApi,
    admission: 'http',
    bodyBytesMax: queryLimits.bodyBytesMax,
    drainDelayMs: config.MILLRACE_DRAIN_DELAY_MS,
  });
}
