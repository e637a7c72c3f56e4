import { CodedError } from '@millrace/resilience/coded-error';

/** An error that the operator must act on. The command prints its message, which states the fact and the remedy. */
export class OperatorError extends CodedError {
  readonly code = 'command-failed';
  readonly retryable = false;
}
