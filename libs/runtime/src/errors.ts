import { type Problem, type ProblemName, type Violation, problemTypes } from '@millrace/contracts';
import { CodedError } from '@millrace/resilience';

/** Thrown when settings are invalid. Start-up must stop; every problem is in {@link ConfigError.problems}. */
export class ConfigError extends CodedError {
  readonly code = 'config-invalid';
  readonly retryable = false;

  /** @param problems One plain sentence for each setting that is wrong; values of secrets are left out. */
  constructor(readonly problems: readonly string[]) {
    super(`The settings cannot be used:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
  }
}

/** An error of an app that defines its own problem document. */
export interface ProblemSource {
  /** The document, with its status. Sent as it is: no secret, no stack. */
  toProblem(): Problem;
}

/** Extra facts of one {@link ProblemError}. */
export interface ProblemDetails {
  /** Fact and remedy of this occurrence. The client receives it, so it contains no secret and no stack. */
  readonly detail?: string;
  /** One entry for each field that is wrong. */
  readonly errors?: readonly Violation[];
  /** Seconds after which a retry makes sense; also sent as `Retry-After`, rounded up to whole seconds. */
  readonly retryAfterSeconds?: number;
  /** Response headers that belong to the answer (`Allow`, `WWW-Authenticate`). */
  readonly headers?: Readonly<Record<string, string>>;
  /** The cause: logged, never sent. */
  readonly cause?: unknown;
}

/** Thrown anywhere below a request; the client gets the RFC 9457 problem document of this kind. */
export class ProblemError extends CodedError {
  /** Kind of problem. */
  readonly code: ProblemName;
  /** Whether a retry may help: true for 429, 503 and 504. */
  readonly retryable: boolean;

  /**
   * @param problem Kind of problem, which fixes the status and the title.
   * @param details What is particular to this time.
   */
  constructor(
    problem: ProblemName,
    readonly details: ProblemDetails = {},
  ) {
    super(details.detail ?? problemTypes[problem].title, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = problem;
    const { status } = problemTypes[problem];
    this.retryable = status === 429 || status === 503 || status === 504;
  }
}

/** Thrown when a service must not start, for a reason beyond a single setting. */
export class StartRefusedError extends CodedError {
  readonly code = 'start-refused';
  readonly retryable = false;
}
