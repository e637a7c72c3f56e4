import { RejectedError, readRetryAfterMs } from '@millrace/resilience';
import { problemOfRejection } from '@millrace/runtime';
import { QueryError } from './errors.ts';

/** `Retry-After` when the dependency gives no time, in seconds. */
const retryAfterSecondsDefault = 1;

/**
 * The error of a call without an answer: `overloaded` when the bulkhead is full, otherwise `unavailable`. It carries the time after which
 * the circuit or the dependency may be asked again.
 *
 * @param detail the consequence for the client; a full bulkhead has its own
 */
export function unanswered(error: unknown, detail: string): QueryError {
  if (!(error instanceof RejectedError)) {
    const askedMs = readRetryAfterMs(error);
    return new QueryError('unavailable', detail, {
      retryAfterSeconds: askedMs === undefined ? retryAfterSecondsDefault : Math.ceil(askedMs / 1000),
      cause: error,
    });
  }
  const [problem, { detail: why, retryAfterSeconds = retryAfterSecondsDefault }] = problemOfRejection(error);
  // The time of this one call was over, which is not the deadline of the caller. A caller with a deadline checks it first.
  const code = problem === 'overloaded' ? problem : 'unavailable';
  return new QueryError(code, code === 'overloaded' && why !== undefined ? why : detail, { retryAfterSeconds, cause: error });
}
