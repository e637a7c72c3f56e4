import { problemOf, type Problem, type ProblemName, type Violation } from '@millrace/contracts';
import { CodedError } from '@millrace/resilience';

/** Codes of query errors. Each is the name of its problem document. */
export type QueryErrorCode = Extract<
  ProblemName,
  | 'validation'
  | 'statement-invalid'
  | 'statement-not-allowed'
  | 'scan-limit-exceeded'
  | 'result-too-large'
  | 'idempotency-conflict'
  | 'engine-failed'
  | 'not-covered'
  | 'unavailable'
  | 'overloaded'
  | 'too-many-requests'
  | 'deadline-exceeded'
  | 'not-found'
  | 'not-finished'
  | 'no-results'
  | 'gone'
  | 'not-acceptable'
  | 'internal'
>;

const retryableCodes: ReadonlySet<QueryErrorCode> = new Set([
  'unavailable',
  'overloaded',
  'too-many-requests',
  'not-finished',
  'not-covered',
]);

/** The base of all errors of this app. */
export class QueryError extends CodedError {
  readonly code: QueryErrorCode;
  /** Whether the same request may succeed later. */
  readonly retryable: boolean;
  readonly errors: readonly Violation[] | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: QueryErrorCode,
    detail: string,
    options: { errors?: readonly Violation[]; retryAfterSeconds?: number; cause?: unknown } = {},
  ) {
    super(detail, { cause: options.cause });
    this.code = code;
    this.retryable = retryableCodes.has(code);
    this.errors = options.errors;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  /** The problem document. */
  toProblem(): Problem {
    return problemOf(this.code, {
      detail: this.message,
      ...(this.errors === undefined ? {} : { errors: this.errors }),
      ...(this.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: this.retryAfterSeconds }),
    });
  }
}

/** Whether the engine or its data could not be reached. An earlier answer may then replace the missing one. */
export function isOutOfReach(error: unknown): boolean {
  return error instanceof QueryError && (error.code === 'unavailable' || error.code === 'overloaded');
}

/** The error of a request that breaks the contract: its message names the first violation, and it carries all. */
export function validationError(errors: readonly Violation[]): QueryError {
  const [first] = errors;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  return new QueryError(
    'validation',
    first === undefined ? 'The request is not valid.' : `${first.field === '' ? 'The body' : first.field} ${first.message}${more}.`,
    { errors },
  );
}

/** DuckDB's own process could not be started, for the reason in `cause`: not a failure of S3, which was not called. */
export class SandboxNotStarted extends CodedError {
  readonly code = 'sandbox-not-started';
  readonly retryable = true;

  constructor(cause: unknown) {
    super("DuckDB's process could not be started.", { cause });
  }
}

/** A service throttles; the reason is in `cause`. */
export class Throttled extends CodedError {
  readonly code = 'throttled';
  readonly retryable = true;
  /** Retry-After of the engine in milliseconds, if it gave one. */
  readonly retryAfterMs: number | undefined;

  constructor(cause: unknown, retryAfterMs: number | undefined) {
    super('The service throttles.', { cause });
    this.retryAfterMs = retryAfterMs;
  }
}

/** Reason of the abort signal that stops a running query. */
export class QueryStopped extends CodedError {
  /**
   * `cancelled` and `deadline` end the query and reach the engine; `handed-over` only ends this worker's part: the execution continues,
   * and a successor attaches to it.
   */
  readonly code: 'cancelled' | 'deadline' | 'handed-over';
  readonly retryable = false;
  /** Time of the request in epoch milliseconds, if known. */
  readonly requestedAt: number | undefined;

  constructor(code: QueryStopped['code'], requestedAt?: number) {
    super(`the query was stopped: ${code}`);
    this.code = code;
    this.requestedAt = requestedAt;
  }
}
