import { LakeError, type LakeErrorCode } from './errors.ts';

// Told by error code, not by HTTP status: S3 answers 409 and 412 for different reasons, and a HEAD has no body to name one.
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
  EntityTooLarge: 'invalid',
  InvalidArgument: 'invalid',
  InvalidRequest: 'invalid',
  KeyTooLongError: 'invalid',
};

/** What an error of the AWS SDK means; `unavailable` when in doubt, for an unknown outcome is the safe reading. */
export function codeOfAwsError(error: unknown): LakeErrorCode {
  if (!(error instanceof Error)) return 'unavailable';
  const known = codes[error.name];
  if (known !== undefined) return known;
  const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
  if (status === 401 || status === 403) return 'denied';
  return 'unavailable';
}

/** Turns an error of the AWS SDK into ours. */
export function awsErrorToLakeError(error: unknown, what: string, key?: string): LakeError {
  if (error instanceof LakeError) return error;
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new LakeError(codeOfAwsError(error), `${what} failed: ${message}`, key === undefined ? { cause: error } : { key, cause: error });
}
