import { CodedError } from '@millrace/resilience';

/** Exceptions of the Firehose API that this service answers, with their HTTP status. */
const statuses = {
  InvalidArgumentException: 400,
  ResourceNotFoundException: 400,
  SerializationException: 400,
  UnknownOperationException: 400,
  IncompleteSignatureException: 403,
  InvalidSignatureException: 403,
  MissingAuthenticationTokenException: 403,
  UnrecognizedClientException: 403,
  InternalFailure: 500,
  ServiceUnavailableException: 503,
} as const;

/** Name of an exception of the Firehose API. */
export type FirehoseErrorCode = keyof typeof statuses;

/** An exception as AWS SDKs know it. */
export class FirehoseError extends CodedError {
  readonly code: FirehoseErrorCode;
  /** Whether an SDK sends the request again. */
  readonly retryable: boolean;

  constructor(code: FirehoseErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.retryable = this.status >= 500;
  }

  /** HTTP status of the answer. */
  get status(): number {
    return statuses[this.code];
  }
}
