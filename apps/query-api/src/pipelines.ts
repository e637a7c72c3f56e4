import type { QueryConfig } from './config.ts';
import type { Guards } from './guards.ts';

/** The pipelines around every call that leaves the process. */
export function pipelineGuards(config: QueryConfig): Guards {
  return {
    s3: async (_call, run, signal) => await within(config.QUERY_CALL_TIMEOUT_MS, run, signal),
    glue: async (run, signal) => await within(config.QUERY_CALL_TIMEOUT_MS, run, signal),
    athena: async (_operation, run, signal) => await within(config.QUERY_CALL_TIMEOUT_MS, run, signal),
    redis: async (_operation, run) => await run(),
  };
}

async function within<T>(ms: number, run: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T> {
  return await run(signal === undefined ? AbortSignal.timeout(ms) : AbortSignal.any([signal, AbortSignal.timeout(ms)]));
}
