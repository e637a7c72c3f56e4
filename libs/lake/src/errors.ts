import type { ErrorClass } from '@millrace/resilience';
import { CodedError } from '@millrace/resilience/coded-error';

/** Kind of a failure of an object, a ledger or the catalog. */
export type LakeErrorCode =
  /** Put-if-absent found an object at the key. */
  | 'exists'
  /** The source of a copy does not exist. */
  | 'no-such-key'
  /** 401 or 403. It never counts as delivered, and it is retried with back-off. Waiting does not fix it. */
  | 'denied'
  /** A bucket or database that does not exist, another region, or a certificate that is not trusted. Handled as `denied`. */
  | 'misconfigured'
  /** No answer, a broken connection, a 5xx, throttling: the outcome of a write is unknown. */
  | 'unavailable'
  /** The request itself is wrong. A retry cannot help. */
  | 'invalid'
  /** A ledger entry cannot be read as one. */
  | 'bad-entry'
  /** A file that an entry names is neither staged nor published: someone deleted it. */
  | 'file-lost'
  /** The catalog points to a version of the Iceberg table that another writer made. */
  | 'foreign-commit'
  /** The store lacks put-if-absent or strong consistency, which the ledger requires. */
  | 'unsound-store';

/** The base of all errors of this library. */
export class LakeError extends CodedError {
  readonly code: LakeErrorCode;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;
  /** The key of the object, if there is one. */
  readonly key: string | undefined;
  /** Whether the service throttles. The code is then `unavailable`. */
  readonly throttled: boolean;
  /** Milliseconds after which a retry makes sense, if the service states them. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: LakeErrorCode,
    message: string,
    options: { key?: string | undefined; throttled?: boolean; retryAfterMs?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.retryable = code === 'unavailable' || code === 'denied' || code === 'misconfigured';
    this.key = options.key;
    this.throttled = options.throttled ?? false;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Tells whether an error is a {@link LakeError} with the given code. */
export function isLakeError(error: unknown, code: LakeErrorCode): error is LakeError {
  return error instanceof LakeError && error.code === code;
}

/** Classifies the failure for the pipeline around the call. */
export function classOfLakeError({ code, throttled }: LakeError): ErrorClass {
  if (throttled) return 'throttled';
  // A service that refuses credentials or a bucket is healthy: an open circuit would only hide its answer.
  return code === 'unavailable' ? 'transient' : 'invalid';
}

/** Returns the remedy for a failure that does not pass by itself. Undefined for every other failure. */
export function remedyOfLakeError(error: unknown): string | undefined {
  if (isLakeError(error, 'denied')) return 'check the credentials, and the rights that docs/operations.md lists';
  if (isLakeError(error, 'misconfigured')) return 'check LAKE_BUCKET, LAKE_DATABASE, the endpoint, the region and its certificate';
  return undefined;
}
