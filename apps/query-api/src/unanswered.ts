import { RejectedError, readRetryAfterMs } from '@millrace/resilience';
import { problemOfRejection } from '@millrace/runtime';
import { QueryError } from './errors.ts';

/** What a client is told to wait when nobody can say, in seconds. */
const retryAfterSecondsDefault = 1;

/**
 * What a call that its pipeline brought to no answer comes to: `overloaded` when as many run and wait as may, otherwise `unavailable`, with the time after which the circuit,
 * or the dependency itself, wants to be asked again.
 *
 * @param detail what cannot be done; a refusal for another reason than an outage says its own
 */
export function unanswered(error: unknown, detail: string): QueryError {
  if (!(error instanceof RejectedError)) {
    const askedMs = readRetryAfterMs(error);
    return new QueryError('unavailable', detail, { retryAfterSeconds: askedMs === undefined ? retryAfterSecondsDefault : Math.ceil(askedMs / 1000), cause: error });
  }
  const [problem, { detail: why, retryAfterSeconds = retryAfterSecondsDefault }] = problemOfRejection(error);
  // The time of this one call was over, which is not that of a caller: who has one looks at it first.
  const code = problem === 'overloaded' ? problem : 'unavailable';
  return new QueryError(code, code === 'overloaded' && why !== undefined ? why : detail, { retryAfterSeconds, cause: error });
}
