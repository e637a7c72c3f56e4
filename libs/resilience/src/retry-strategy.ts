import { backOffMs } from './back-off.ts';
import type { ErrorClass } from './error-class.ts';
import type { PipelineSettings } from './settings.ts';

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

/** The `retryAfterMs` that an error carries, if it is a number of milliseconds. */
export function retryAfterMsOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('retryAfterMs' in error)) return undefined;
  const { retryAfterMs } = error;
  return typeof retryAfterMs === 'number' && retryAfterMs >= 0 ? retryAfterMs : undefined;
}

/** Reads an HTTP `Retry-After`, seconds or a date. Undefined when it is neither. A date that has passed is 0. */
export function parseRetryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  const value = header.trim();
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const atMs = Date.parse(value);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}
