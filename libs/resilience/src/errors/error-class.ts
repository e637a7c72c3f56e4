import { RejectedError } from './errors.ts';

/**
 * Meaning of a failure for the policies.
 * - `transient`: the default. Retry it; count it as a failure of the dependency.
 * - `throttled`: the dependency limits its load. Retry after its `Retry-After`; count it as a failure.
 * - `permanent`: a retry cannot help (credentials, missing bucket). Do not retry; count it as a failure.
 * - `invalid`: the request was wrong and the dependency is healthy. Do not retry; do not count it.
 * - `rejected`: the call did not reach the dependency, usually because a nested pipeline rejected it. Do not retry, because one layer
 *   owns the retries; do not count it.
 */
export type ErrorClass = 'transient' | 'throttled' | 'permanent' | 'invalid' | 'rejected';

/** Default classification: `RejectedError` is rejected, `retryable: false` is permanent, every other error is transient. */
export function classifyError(error: unknown): ErrorClass {
  if (error instanceof RejectedError) return 'rejected';
  if (typeof error === 'object' && error !== null && 'retryable' in error && error.retryable === false) return 'permanent';
  return 'transient';
}
