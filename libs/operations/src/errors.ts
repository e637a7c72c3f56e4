import { CodedError } from '@millrace/resilience/coded-error';

/** Reason why an operation ended without its result. */
export type OperationErrorCode =
  /** An argument has a wrong value. Nothing was done. */
  | 'invalid-argument'
  /** The table, the record or the events that the caller named do not exist. */
  | 'not-found'
  /** The state of the lake or of the sinks does not allow the operation. Nothing was changed. */
  | 'conflict'
  /** A stored object differs from the one that the sink wrote. */
  | 'corrupt'
  /** Kafka or an extension of DuckDB cannot be reached. */
  | 'unavailable'
  /** Kafka refuses the login, a certificate or a right. */
  | 'refused'
  /** The operation began and did not finish. Run it again: it continues. */
  | 'unfinished';

/** Thrown by an operation whose user must act. The message states the fact and the remedy. */
export class OperationError extends CodedError {
  readonly code: OperationErrorCode;
  /** Whether the same call can succeed later without another argument. */
  readonly retryable: boolean;

  constructor(code: OperationErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.code = code;
    this.retryable = code === 'unavailable' || code === 'unfinished';
  }
}
