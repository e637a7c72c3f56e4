import { queryWorkerApi, type Stream } from '@millrace/contracts';
import { authFrom, createLogger, runService } from '@millrace/runtime';
import { readQueryConfig } from './config.ts';
import { QueryWorkerModule } from './query-worker.module.ts';

/** Runs the query worker over the tables of some streams until a signal ends the process. */
export async function runQueryWorker(streams: readonly Stream[]): Promise<void> {
  const config = readQueryConfig();
  const logger = createLogger({ name: 'query-worker', level: config.LOG_LEVEL });
  await runService({
    name: 'query-worker',
    module: QueryWorkerModule.of(config, logger, streams),
    host: config.QUERY_HOST,
    port: config.QUERY_WORKER_PORT,
    logger,
    auth: authFrom(config),
    api: queryWorkerApi,
    drainDelayMs: config.MILLRACE_DRAIN_DELAY_MS,
    // Handing over and closing take a moment after the drain.
    shutdownMsMax: (config.QUERY_DRAIN_SECONDS + 10) * 1000,
  });
}
