// Imported from its file and not from the index of the library: the operator's tools strip types, and other files of the library have
// parameter properties.
import { isThrottled, parseRetryAfterMs } from '@millrace/resilience/retry-after';
import { LakeError, remedyOfLakeError, type LakeErrorCode } from './errors.ts';

// The error code decides, not the HTTP status: S3 answers 409 and 412 for different reasons, and a HEAD has no body with a code.
const codes: Readonly<Record<string, LakeErrorCode>> = {
  NoSuchKey: 'no-such-key',
  NotFound: 'no-such-key',
  PreconditionFailed: 'exists',
  ConditionalRequestConflict: 'exists',
  AlreadyExistsException: 'exists',
  AccessDenied: 'denied',
  AccessDeniedException: 'denied',
  InvalidAccessKeyId: 'denied',
  SignatureDoesNotMatch: 'denied',
  ExpiredToken: 'denied',
  ExpiredTokenException: 'denied',
  RequestTimeTooSkewed: 'denied',
  UnrecognizedClientException: 'denied',
  CredentialsProviderError: 'denied',
  IncompleteSignature: 'denied',
  InvalidClientTokenId: 'denied',
  InvalidSignatureException: 'denied',
  InvalidToken: 'denied',
  MissingAuthenticationToken: 'denied',
  AllAccessDisabled: 'denied',
  NoSuchBucket: 'misconfigured',
  InvalidBucketName: 'misconfigured',
  PermanentRedirect: 'misconfigured',
  AuthorizationHeaderMalformed: 'misconfigured',
  EntityNotFoundException: 'misconfigured',
  EntityTooLarge: 'invalid',
  InvalidArgument: 'invalid',
  InvalidRequest: 'invalid',
  KeyTooLongError: 'invalid',
  NotImplemented: 'invalid',
};

// Codes of Node's TLS: https://nodejs.org/api/tls.html#x509-certificate-error-codes
const certificateCodes: ReadonlySet<unknown> = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** Maps an error of the AWS SDK to a code. An unknown error is `unavailable`, because an unknown outcome is the safe reading. */
export function codeOfAwsError(error: unknown): LakeErrorCode {
  if (!(error instanceof Error)) return 'unavailable';
  const known = codes[error.name];
  if (known !== undefined) return known;
  if ('code' in error && certificateCodes.has(error.code)) return 'misconfigured';
  const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
  if (status === 401 || status === 403) return 'denied';
  return 'unavailable';
}

// The error names that the SDK's own retries, which are off, treat as throttling:
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
const throttlingNames: ReadonlySet<string> = new Set([
  'BandwidthLimitExceeded',
  'LimitExceededException',
  'PriorRequestNotComplete',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  'SlowDown',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
]);

/** Throttling by AWS, and the time until a retry makes sense, in milliseconds. */
export interface Throttling {
  readonly throttled: boolean;
  readonly retryAfterMs: number | undefined;
}

/** Reads the throttling of an error of the AWS SDK: from its name, its status, or the `Retry-After` of a 503. */
export function throttlingOf(error: unknown, nowMs: number = Date.now()): Throttling {
  if (!(error instanceof Error)) return { throttled: false, retryAfterMs: undefined };
  const { $metadata, $retryable, $response } = error as {
    $metadata?: { httpStatusCode?: number };
    $retryable?: { throttling?: boolean };
    $response?: { headers?: Readonly<Record<string, string>> };
  };
  const status = $metadata?.httpStatusCode;
  const retryAfterMs = parseRetryAfterMs($response?.headers?.['retry-after'], nowMs);
  return {
    throttled: throttlingNames.has(error.name) || $retryable?.throttling === true || isThrottled(status, retryAfterMs),
    retryAfterMs,
  };
}

/** Converts an error of the AWS SDK to a `LakeError`. */
export function awsErrorToLakeError(error: unknown, what: string, key?: string): LakeError {
  if (error instanceof LakeError) return error;
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const code = codeOfAwsError(error);
  return new LakeError(code, `${what} failed: ${message}`, { key, cause: error, ...(code === 'unavailable' ? throttlingOf(error) : {}) });
}

/** Returns the remedy for an error of the lake or of the AWS SDK that does not pass by itself. Undefined for every other error. */
export function remedyOfAwsError(error: unknown): string | undefined {
  return error instanceof Error ? remedyOfLakeError(awsErrorToLakeError(error, 'AWS')) : undefined;
}
