import type { CatalogGuard, StoreGuard } from '@millrace/lake';

/** Description of a call that leaves the process. */
export interface GuardedCall {
  /** Name of the operation: `put`, `start`, `submit`. */
  readonly operation: string;
  /** Whether doing it twice is the same as doing it once; only then may it be tried again. */
  readonly idempotent: boolean;
  /** Ends the call, whatever it waits for. */
  readonly signal?: AbortSignal | undefined;
  /** Time after which the caller no longer waits, in epoch milliseconds. */
  readonly deadline?: number | undefined;
}

/** Limits that a request sets to its work. */
export interface RequestLimits {
  /** Aborted when the client disconnects, or the service stops. */
  readonly signal?: AbortSignal;
  /** The caller's deadline, in epoch milliseconds. */
  readonly deadline?: number | undefined;
  /** W3C trace context of the request, for a query that it submits. Absent while tracing is off. */
  readonly traceparent?: string;
}

/** Surrounds every call to one dependency with a time limit, retries, a circuit and a bulkhead. `run` gets the signal of its attempt. */
export type CallGuard = <T>(call: GuardedCall, run: (signal: AbortSignal) => Promise<T>) => Promise<T>;

/** One guard for each dependency; no call of this app's own leaves the process by another way. */
export interface Guards {
  /** Redis by BullMQ's queue and by ioredis. A worker's own waiting for jobs and its locks are BullMQ's. */
  readonly redis: CallGuard;
  readonly s3: CallGuard;
  readonly glue: CallGuard;
  readonly athena: CallGuard;
  readonly trino: CallGuard;
  /** A statement in DuckDB from its start to its last row: its reads of S3 happen in another process. */
  readonly duckdbReads: CallGuard;
}

/**
 * Each call to S3 may be repeated: parts have unique names, and a manifest that already exists is read back.
 *
 * @param deadline that of every call
 */
export function storeGuard(guard: CallGuard, deadline?: number): StoreGuard {
  return async (operation, run, signal) => await guard({ operation, idempotent: true, signal, deadline }, run);
}

/** Calls to the catalog read it, or set a state that is the same when it is set twice. */
export function catalogGuard(guard: CallGuard): CatalogGuard {
  return async (run, signal) => await guard({ operation: 'catalog', idempotent: true, signal }, run);
}
