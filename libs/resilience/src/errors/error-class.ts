import { RejectedError } from './errors.ts';

/**
 * What a failure means.
 * - `transient`: may pass; tried again, votes against the dependency.
 * - `throttled`: the dependency asks for less; tried again after its `Retry-After`, votes against it.
 * - `permanent`: trying again is useless (credentials, missing bucket); votes against the dependency, which is as good as down.
 * - `invalid`: the dependency answered well and the request was wrong; neither tried again nor a vote.
 * - `refused`: another pipeline inside this one refused; neither tried again, since one layer owns retries, nor a vote.
 */
export type ErrorClass = 'transient' | 'throttled' | 'permanent' | 'invalid' | 'refused';

/** The default reading: `retryable: false` is permanent, a refusal is refused, everything else is transient. */
export function classifyError(error: unknown): ErrorClass {
  if (error instanceof RejectedError) return 'refused';
  if (typeof error === 'object' && error !== null && 'retryable' in error && error.retryable === false) return 'permanent';
  return 'transient';
}
