import type { ErrorClass } from '../errors/error-class.ts';
import type { FallbackQueue } from '../fallback-queue/fallback-queue.ts';

/** Time limits of a call, in milliseconds. `connectMs ≤ attemptMs ≤ totalMs`. */
export interface TimeoutSpec {
  /** Time to connect, ≥ 1. The pipeline only checks and shows it: pass it to the client that opens the connection. Default: none. */
  readonly connectMs?: number;
  /** Time of one attempt, without its wait for a bulkhead permit, ≥ 1. Default 10 000. */
  readonly attemptMs?: number;
  /**
   * Time of the whole call, ≥ 1: all attempts, back-offs and waits, but not the fallback. An earlier deadline of the caller wins.
   * Default 30 000.
   */
  readonly totalMs?: number;
}

/** Limit of the retries of a dependency within a window: `ratio · calls + perSecondMin · windowSeconds`. */
export interface RetryBudgetSpec {
  /** Retries per call, 0–1. Default 0.2. */
  readonly ratio?: number;
  /** Retries per second that are allowed with any traffic, ≥ 0. Default 10. */
  readonly perSecondMin?: number;
  /** Length of the window in seconds, 1–60. Default 10. */
  readonly windowSeconds?: number;
}

/** Retries of failed attempts. Only calls with `idempotent: true` are retried. */
export interface RetrySpec {
  /** Maximum number of attempts of one call, the first one included, 1–10. Default 3. */
  readonly attemptsMax?: number;
  /** Upper bound of the first back-off in milliseconds, ≥ 0. Default 100. */
  readonly baseMs?: number;
  /** Growth of that bound with each attempt, 1–100. Default 2. */
  readonly factor?: number;
  /** Largest bound in milliseconds, ≥ 0. Default 20 000. */
  readonly waitMsMax?: number;
  /** Longest `Retry-After` that the pipeline obeys, in milliseconds, ≥ 0. A longer one ends the call with the failure. Default 20 000. */
  readonly retryAfterMsMax?: number;
  /** Budget of this pipeline. Ignored when {@link createPipeline} gets a budget that all pipelines of a dependency share. */
  readonly budget?: RetryBudgetSpec;
}

/** Circuit breaker: when the circuit opens and how it closes again. */
export interface BreakerSpec {
  /** Length of the sliding window in milliseconds, ≥ 100. Default 10 000. */
  readonly windowMs?: number;
  /** Number of buckets of the window, 1–100. Default 10. */
  readonly buckets?: number;
  /** Number of calls in the window below which the circuit stays closed, 1–1 000 000. Default 20. */
  readonly minimumCalls?: number;
  /** Ratio of failures at which the circuit opens, 0.01–2; above 1 means never. Default 0.5. */
  readonly failureRatio?: number;
  /** A call that takes longer than this is slow, in milliseconds, ≥ 0. Default: half of the attempt timeout. */
  readonly slowCallMs?: number;
  /** Ratio of slow calls at which the circuit opens, 0.01–2; above 1 means never. Default 0.8. */
  readonly slowCallRatio?: number;
  /** Shortest time that the circuit stays open, in milliseconds, 1–`breakDurationMsMax`. Default 5 000. */
  readonly breakDurationMs?: number;
  /** Factor by which the open time grows with each failed recovery, 1–100. Default 2. */
  readonly breakDurationFactor?: number;
  /** Longest time that the circuit stays open, in milliseconds, ≥ 1. Default 60 000. */
  readonly breakDurationMsMax?: number;
  /**
   * Random part of that time, 0–1, so that many processes do not probe at the same moment. Default 0.2: a duration of 5 s
   * becomes 4 to 5 s.
   */
  readonly breakDurationJitter?: number;
  /** Number of calls that may pass a half-open circuit; all of them must succeed to close it, 1–100. Default 3. */
  readonly probes?: number;
  /** Time over which a recovered circuit raises the ratio of admitted calls from 0.1 to 1, in milliseconds; 0 means at once. Default 0. */
  readonly rampMs?: number;
}

/** Limit of concurrent calls. */
export interface BulkheadSpec {
  /** Maximum number of concurrent calls, ≥ 1. A call counts until its work has really ended. Default 25. */
  readonly concurrencyMax?: number;
  /** Maximum number of calls that wait for a permit, ≥ 0. Default 0. */
  readonly queueMax?: number;
  /** Longest wait for a permit in milliseconds, ≥ 0. Default 1 000. */
  readonly queueWaitMsMax?: number;
}

/**
 * Load shedding. The load grows from 0 (`…From`) to 1 (`…Full`). Calls of low priority are shed at any load above 0, normal ones
 * from 0.5, high ones from 0.9, and critical ones never.
 */
export interface ShedSpec {
  /** Event-loop delay in milliseconds at which shedding begins. Default 100. */
  readonly eventLoopDelayMsFrom?: number;
  /** Event-loop delay in milliseconds at which all but critical calls are shed. Default 500. */
  readonly eventLoopDelayMsFull?: number;
  /** Used ratio of the heap at which shedding begins, 0–1. Default 0.85. */
  readonly heapUsedRatioFrom?: number;
  /** Used ratio of the heap at which all but critical calls are shed, 0–1. Default 0.95. */
  readonly heapUsedRatioFull?: number;
  /** Time for which the load must stay lower before fewer calls are shed, in milliseconds. Default 1 000. */
  readonly holdMs?: number;
  /** `retryAfterMs` of the error that a shed caller gets, in milliseconds. Default 1 000. */
  readonly retryAfterMs?: number;
}

/** Cache of answers by `key`. Calls without a key do not use it. */
export interface CacheSpec {
  /**
   * A younger answer is returned without a call, in milliseconds. 0 makes every call and caches answers only for the `cache` fallback.
   * Default 0.
   */
  readonly freshMs?: number;
  /** Maximum age of an answer that replaces a failed call, in milliseconds. Default 3 600 000. */
  readonly staleMsMax?: number;
  /** Maximum number of cached answers; the least recently used one is evicted first, ≥ 1. Default 1 000. */
  readonly entriesMax?: number;
  /** Whether concurrent calls of one key share one call. Default true. */
  readonly coalesce?: boolean;
  /**
   * Whether an answer may be cached. An answer that may not does not replace an earlier one. Cannot be changed at run time.
   * Default: every answer may.
   */
  readonly isCacheable?: (answer: unknown) => boolean;
}

/** Whether a fallback applies to an error. Default: to every error except aborts and `invalid` errors, which the caller causes. */
export type FallbackCondition = (error: unknown) => boolean;

/** Answer for a call that did not succeed. Fallbacks are tried in the given order. */
export type FallbackSpec =
  /** The last good answer of the same key, at most {@link CacheSpec.staleMsMax} old. Needs `cache`. */
  | { readonly kind: 'cache'; readonly when?: FallbackCondition }
  /** Stores the call's `entry` durably and returns a receipt. Skipped for calls without an entry. */
  | { readonly kind: 'queue'; readonly queue: FallbackQueue; readonly when?: FallbackCondition }
  /** Returns a default value. */
  | { readonly kind: 'stub'; readonly value: (error: unknown, call: FallbackCall) => unknown; readonly when?: FallbackCondition }
  /** Returns undefined: the feature is switched off for this call. */
  | { readonly kind: 'silent'; readonly when?: FallbackCondition };

/** Facts of the call that a stub may use. */
export interface FallbackCall {
  /** Key of the call, if it has one. */
  readonly key: string | undefined;
  /** Signal of the fallback: aborts when the caller aborts or the fallback takes too long. */
  readonly signal: AbortSignal | undefined;
}

/** Kind of a fallback. */
export type FallbackKind = FallbackSpec['kind'];

/** Fault injection. It is the innermost policy, so every other policy treats an injected fault as real. */
export interface ChaosSpec {
  /** Whether this pipeline may ever inject faults. `update` cannot change it. Default false. */
  readonly allowed: boolean;
  /** The first rule that matches an attempt applies. Default: none. */
  readonly rules?: readonly ChaosRule[];
}

/** One injected fault. */
export type ChaosRule = {
  /** Ratio of the matching attempts that the rule affects, 0–1. Default 1. */
  readonly rate?: number;
  /** Keys of the calls that the rule affects. Default: all calls. */
  readonly keys?: readonly string[];
} & (
  | /** Waits before the work, in milliseconds, ≥ 0. */ { readonly kind: 'latency'; readonly ms: number }
  | /** Fails instead of running the work. */ { readonly kind: 'fault'; readonly error?: () => unknown }
  | /** Returns a value instead of running the work. */ { readonly kind: 'outcome'; readonly value: unknown }
  | /** Never answers and ignores the signal, until the rules change. */ { readonly kind: 'hang' }
);

/** Declaration of a pipeline. An omitted policy does not exist; only the time limits always do. */
export interface PipelineSpec {
  /** Starts with a lower-case letter; lower-case letters, digits and hyphens, at most 64. It is a metric label. */
  readonly name: string;
  /** Name of the called dependency. Several pipelines may call the same one. Default: the name of the pipeline. */
  readonly dependency?: string;
  /** Time limits. Default: those of {@link TimeoutSpec}. */
  readonly timeout?: TimeoutSpec;
  /** Retries of failed attempts. Default: none. */
  readonly retry?: RetrySpec;
  /** Stops calling a dependency that fails or is slow. Default: none. */
  readonly breaker?: BreakerSpec;
  /** Limits concurrent calls. Default: none. */
  readonly bulkhead?: BulkheadSpec;
  /** Rejects calls while the process is overloaded. Needs {@link PipelineDeps.load}. Default: none. */
  readonly shed?: ShedSpec;
  /** Caches answers. Default: none. */
  readonly cache?: CacheSpec;
  /** Answers for calls that did not succeed, tried in this order. Default: none. */
  readonly fallbacks?: readonly FallbackSpec[];
  /** Maximum number of concurrent fallbacks, ≥ 1. Default 10. */
  readonly fallbackConcurrencyMax?: number;
  /** Fault injection. Default: not allowed. */
  readonly chaos?: ChaosSpec;
  /** Classifies an error. Default: {@link classifyError}. */
  readonly classify?: (error: unknown) => ErrorClass;
}
