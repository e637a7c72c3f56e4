import { CodedError } from '@millrace/resilience';

/** Errors that can stop a lane or a step of the sink. */
export type SinkErrorCode =
  /** The ledger was written from another topic: the topic was recreated or truncated, or belongs to another cluster. */
  | 'different-log'
  /** The number of encoded rows differs from the number of appended lines. The batch is encoded again; nothing left the process. */
  | 'row-count'
  /** The disk is full, or the process may not write more. An outage, not a crash. */
  | 'disk-full'
  /** A file of the spool is missing, unreadable or does not match its checksum. */
  | 'spool-corrupt';

/** The base of all errors of the sink. */
export class SinkError extends CodedError {
  readonly code: SinkErrorCode;
  readonly retryable: boolean;

  constructor(code: SinkErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.code = code;
    this.retryable = code === 'row-count' || code === 'disk-full';
  }
}

/** True for a {@link SinkError} with the given code. */
export function isSinkError(error: unknown, code: SinkErrorCode): error is SinkError {
  return error instanceof SinkError && error.code === code;
}
