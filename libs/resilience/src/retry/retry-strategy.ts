import { backOffMs } from './back-off.ts';
import type { ErrorClass } from '../errors/error-class.ts';
import { retryAfterMsOf } from './retry-after.ts';
import type { PipelineSettings } from '../settings/pipeline-settings.ts';

/** A pipeline's settings of retry, complete. */
export type RetrySettings = NonNullable<PipelineSettings['retry']>;

/** What is known when an attempt has failed. */
export interface FailedAttempt {
  /** Number of the attempt, from 0. */
  readonly attempt: number;
  readonly errorClass: ErrorClass;
  readonly error: unknown;
  /** Milliseconds left to the call. */
  readonly leftMs: number;
}

/** Milliseconds to wait before the next attempt; undefined when there is to be none. */
export function retryWaitMs({ attempt, errorClass, error, leftMs }: FailedAttempt, settings: RetrySettings, random: () => number): number | undefined {
  if (attempt + 1 >= settings.attemptsMax) return undefined;
  if (errorClass !== 'transient' && errorClass !== 'throttled') return undefined;
  const askedMs = retryAfterMsOf(error) ?? 0;
  if (askedMs > settings.retryAfterMsMax) return undefined;
  const waitMs = Math.max(askedMs, backOffMs(settings, attempt, random));
  return waitMs < leftMs ? waitMs : undefined;
}
