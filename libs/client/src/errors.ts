import { CodedError } from '@millrace/resilience';
import type { Problem } from './api-types.ts';

/**
 * Why a call failed. Match on it, never on the message.
 *
 * - `problem`: the service answered with status 400 or above. `status` and `problem` say more.
 * - `unreachable`: the connection failed or broke before an answer.
 * - `timeout`: no attempt was answered within the time of the call.
 * - `query-failed`: the query ended as `failed` or `cancelled`. `problem` gives the reason of a failure.
 * - `closed`: the batcher is closed or was aborted, and the purchase was not sent.
 */
export type MillraceErrorCode = 'problem' | 'unreachable' | 'timeout' | 'query-failed' | 'closed';

/** Facts of one {@link MillraceError}. */
export interface MillraceErrorDetails {
  /** HTTP status of the answer. */
  readonly status?: number | undefined;
  /** Problem document (RFC 9457) of the service. */
  readonly problem?: Problem | undefined;
  /** Time after which a retry makes sense, in milliseconds, as the service says. */
  readonly retryAfterMs?: number | undefined;
  /** Whether the same call may succeed later. Default: false. */
  readonly retryable?: boolean;
  readonly cause?: unknown;
}

/** The one error of this package. An aborted call fails with the reason of its signal instead. */
export class MillraceError extends CodedError {
  readonly code: MillraceErrorCode;
  readonly status: number | undefined;
  readonly problem: Problem | undefined;
  readonly retryAfterMs: number | undefined;
  readonly retryable: boolean;

  constructor(code: MillraceErrorCode, message: string, details: MillraceErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.status = details.status;
    this.problem = details.problem;
    this.retryAfterMs = details.retryAfterMs;
    this.retryable = details.retryable ?? false;
  }
}

const retryableStatuses: ReadonlySet<number> = new Set([408, 429, 502, 503, 504]);

/** Whether a request that was answered with this status may succeed later. */
export function isRetryableStatus(status: number): boolean {
  return retryableStatuses.has(status);
}

/** The error of one purchase of a batch that was not accepted. */
export function errorOfProblem(problem: Problem): MillraceError {
  const { status, title, detail, retryAfterSeconds } = problem;
  return new MillraceError('problem', detail ?? title, {
    status,
    problem,
    retryable: isRetryableStatus(status),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterMs: retryAfterSeconds * 1000 }),
  });
}
