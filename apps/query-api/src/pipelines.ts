import { sleep, systemClock } from '@millrace/resilience';
import type { QueryConfig } from './config.ts';
import type { CallGuard, Guards } from './guards.ts';

/** The guards around every call that leaves the process. */
export function pipelineGuards(config: QueryConfig): Guards {
  const calls = within(config.QUERY_CALL_TIMEOUT_MS);
  return {
    redis: within(config.QUERY_REDIS_TIMEOUT_MS),
    s3: calls,
    glue: calls,
    athena: calls,
    // The query's own time limit ends it.
    duckdbReads: async ({ signal = new AbortController().signal }, run) => await run(signal),
  };
}

function within(ms: number): CallGuard {
  return async ({ operation, signal }, run) => {
    const over = new AbortController();
    const stop = (): void => over.abort(signal!.reason);
    signal?.addEventListener('abort', stop, { once: true });
    if (signal?.aborted === true) stop();
    const done = new AbortController();
    const late = sleep(ms, { clock: systemClock, signal: done.signal }).then(
      () => over.abort(new Error(`${operation} took longer than ${ms} ms`)),
      () => undefined,
    );
    try {
      const aborted = new Promise<never>((_resolve, reject) => over.signal.addEventListener('abort', () => reject(over.signal.reason as Error), { once: true }));
      return await Promise.race([run(over.signal), aborted]);
    } finally {
      done.abort();
      await late;
      signal?.removeEventListener('abort', stop);
    }
  };
}
