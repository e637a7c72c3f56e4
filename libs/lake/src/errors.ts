import type { ErrorClass } from '@millrace/resilience';

/** What went wrong with an object, a ledger or the catalog. */
export type LakeErrorCode =
  /** Put-if-absent found the key taken. */
  | 'exists'
  /** The source of a copy is not there. */
  | 'no-such-key'
  /** 401 or 403: never counts as delivered, and is tried again with back-off. Waiting does not mend it. */
  | 'denied'
  /** A bucket or database that is not there, another region, a certificate that is not trusted: as `denied`. */
  | 'misconfigured'
  /** No answer, a broken connection, a 5xx, throttling: the outcome of a write is unknown. */
  | 'unavailable'
  /** The request itself is wrong; trying again cannot help. */
  | 'invalid'
  /** A ledger entry cannot be read as one. */
  | 'bad-entry'
  /** A file that an entry names is neither staged nor published: someone deleted it. */
  | 'file-lost'
  /** The store lacks put-if-absent or strong consistency, on which the ledger stands. */
  | 'unsound-store';

/** The one error family of this library. */
export class LakeError extends Error {
  override readonly name = 'LakeError';
  readonly code: LakeErrorCode;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;
  /** The key concerned, where there is one. */
  readonly key: string | undefined;
  /** Whether the service asks for less; the code is `unavailable` then. */
  readonly throttled: boolean;
  /** Milliseconds after which the service wants to be asked again, where it said so. */
  readonly retryAfterMs: number | undefined;

  constructor(code: LakeErrorCode, message: string, options: { key?: string | undefined; throttled?: boolean; retryAfterMs?: number | undefined; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.retryable = code === 'unavailable' || code === 'denied' || code === 'misconfigured';
    this.key = options.key;
    this.throttled = options.throttled ?? false;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** True for a {@link LakeError} with the given code. */
export function isLakeError(error: unknown, code: LakeErrorCode): error is LakeError {
  return error instanceof LakeError && error.code === code;
}

/** Classifies the failure for the pipeline around the call. */
export function classOfLakeError({ code, throttled }: LakeError): ErrorClass {
  if (throttled) return 'throttled';
  // A service that refuses credentials or a bucket is healthy: an open circuit would only hide its answer.
  return code === 'unavailable' ? 'transient' : 'invalid';
}

/** The remedy for a failure that does not pass by itself; undefined for all others. */
export function remedyOfLakeError(error: unknown): string | undefined {
  if (isLakeError(error, 'denied')) return 'check the credentials, and the rights that docs/operations.md lists';
  if (isLakeError(error, 'misconfigured')) return 'check LAKE_BUCKET, LAKE_DATABASE, the endpoint, the region and its certificate';
  return undefined;
}
