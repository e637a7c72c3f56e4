import type { Problem } from '@millrace/contracts';
import { CodedError } from '@millrace/resilience/coded-error';

/** The API answered with a problem, or did not answer. */
export class ApiError extends CodedError {
  /** Name of the problem, such as `validation`; `unreachable` without an answer. */
  readonly code: string;
  readonly retryable: boolean;
  /** Absent when there was no answer. */
  readonly problem: Problem | undefined;

  constructor(message: string, problem?: Problem, cause?: unknown) {
    super(message, { cause });
    this.problem = problem;
    this.code = problem === undefined ? 'unreachable' : problem.type.slice(problem.type.lastIndexOf(':') + 1);
    this.retryable = problem === undefined || problem.status >= 500 || problem.status === 429;
  }
}

/** The issuer did not sign the user in. */
export class SignInError extends CodedError {
  readonly code = 'sign-in-failed';
  /** The user may begin again. */
  readonly retryable = true;

  constructor(message: string, cause?: unknown) {
    super(message, { cause });
  }
}

/** The problem of any error, for display. */
export function problemOfError(error: unknown): Pick<Problem, 'title' | 'detail'> {
  if (error instanceof ApiError && error.problem !== undefined) return error.problem;
  const title =
    error instanceof SignInError
      ? 'The issuer did not sign you in'
      : error instanceof ApiError
        ? 'The query API does not answer'
        : 'The console made a mistake';
  return { title, detail: error instanceof Error ? error.message : String(error) };
}
