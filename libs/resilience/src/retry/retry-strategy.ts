import type { ErrorClass } from '../errors/error-class.ts';
import type { PipelineSettings } from '../settings/pipeline-settings.ts';
import { backOffMs } from './back-off.ts';
import { readRetryAfterMs } from './retry-after.ts';

/** Retry settings of a pipeline with all defaults. */
export type RetrySettings = NonNullable<PipelineSettings['retry']>;

/** Facts about a failed attempt. */
export interface FailedAttempt {
  /** Number of the attempt, from 0. */
  readonly attempt: number;
  readonly errorClass: ErrorClass;
  readonly error: unknown;
  /** Milliseconds that are left to the call. */
  readonly leftMs: number;
}

/** Milliseconds to wait before the next attempt; undefined if there must be none. */
export function retryWaitMs(failed: FailedAttempt, settings: RetrySettings, random: () => number): number | undefined {
  const { attempt, errorClass, error, leftMs } = failed;
  if (attempt + 1 >= settings.attemptsMax) return undefined;
  if (errorClass !== 'transient' && errorClass !== 'throttled') return undefined;
  const retryAfterMs = readRetryAfterMs(error) ?? 0;
  if (retryAfterMs > settings.retryAfterMsMax) return undefined;
  const waitMs = Math.max(retryAfterMs, backOffMs(settings, attempt, random));
  return waitMs < leftMs ? waitMs : undefined;
}
