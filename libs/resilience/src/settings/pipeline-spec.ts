import type { ErrorClass } from '../errors/error-class.ts';
import type { FallbackQueue } from '../fallback-queue/fallback-queue.ts';

/** Time limits of a call, in milliseconds. `connectMs ≤ attemptMs ≤ totalMs`. */
export interface TimeoutSpec {
  /** Time to connect. The pipeline cannot see a connection: give it to the client you build; the pipeline checks and shows it. Default: none. */
  readonly connectMs?: number;
  /** Time of one attempt, without its wait for the bulkhead. At least 1. Default 10 000. */
  readonly attemptMs?: number;
  /** Time of the whole call: all attempts, back-offs and waits, but not the fallback. An earlier deadline of the caller wins. At least 1. Default 30 000. */
  readonly totalMs?: number;
}

/** How many retries a dependency bears: `ratio · calls + perSecondMin · seconds`. */
export interface RetryBudgetSpec {
  /** Retries earned by each call, 0–1. Default 0.2. */
  readonly ratio?: number;
  /** Retries granted each second whatever the traffic, ≥ 0. Default 10. */
  readonly perSecondMin?: number;
  /** Over how many seconds unspent retries are kept, 1–60. Default 10. */
  readonly windowSeconds?: number;
}

/** Trying again. Only calls with `idempotent: true` are. */
export interface RetrySpec {
  /** Most attempts of one call, the first one included, 1–10. Default 3. */
  readonly attemptsMax?: number;
  /** First bound of the wait in milliseconds, ≥ 0. Default 100. */
  readonly baseMs?: number;
  /** Growth of that bound with each attempt, 1–100. Default 2. */
  readonly factor?: number;
  /** Largest bound in milliseconds, ≥ 0. Default 20 000. */
  readonly waitMsMax?: number;
  /** Longest `Retry-After` that is obeyed, in milliseconds, ≥ 0; a longer one ends the call with the failure. Default 20 000. */
  readonly retryAfterMsMax?: number;
  /** The pipeline's own budget; left out when one is given to {@link createPipeline} for all pipelines of a dependency. */
  readonly budget?: RetryBudgetSpec;
}

/** When the circuit opens, and how it closes again. */
export interface BreakerSpec {
  /** Length of the sliding window in milliseconds, ≥ 100. Default 10 000. */
  readonly windowMs?: number;
  /** Buckets of the window, 1–100. Default 10. */
  readonly buckets?: number;
  /** Votes in the window below which the circuit stays closed, 1–1 000 000. Default 20. */
  readonly volumeMin?: number;
  /** Share of failures at which it opens, 0.01–2; above 1 never. Default 0.5. */
  readonly failureShareMax?: number;
  /** An answer later than this is slow, in milliseconds, ≥ 0. Default: half of the attempt's timeout. */
  readonly slowMs?: number;
  /** Share of slow answers at which it opens, 0.01–2; above 1 never. Default 0.8. */
  readonly slowShareMax?: number;
  /** Shortest time it stays open, in milliseconds, 1–`openMsMax`. Default 5 000. */
  readonly openMs?: number;
  /** Growth of the open time with each failed probing, 1–100. Default 2. */
  readonly openFactor?: number;
  /** Longest time it stays open, in milliseconds, ≥ 1. Default 60 000. */
  readonly openMsMax?: number;
  /** Share of the open time that is random, 0–1, so that many processes do not probe at once. Default 0.2: an open time of 5 s is 4 to 5 s. */
  readonly openJitter?: number;
  /** Calls let through to probe, all of which must succeed, 1–100. Default 3. */
  readonly probes?: number;
  /** After closing, the share of calls let through grows from a tenth to all over this time, in milliseconds; 0 is at once. Default 0. */
  readonly rampMs?: number;
}

/** How many calls run at once. */
export interface BulkheadSpec {
  /** Most calls at once, ≥ 1. A call counts until its work has really ended. Default 25. */
  readonly concurrencyMax?: number;
  /** Most calls that wait for their turn, ≥ 0. Default 0. */
  readonly queueMax?: number;
  /** Longest wait in milliseconds, ≥ 0. Default 1 000. */
  readonly queueWaitMsMax?: number;
}

/** When to leave work out. Load runs from 0 (`…From`) to 1 (`…Full`); low priority goes at any load, normal from a half, high from nine tenths. */
export interface ShedSpec {
  /** Event-loop delay in milliseconds at which shedding begins. Default 100. */
  readonly eventLoopDelayMsFrom?: number;
  /** Event-loop delay in milliseconds at which all but critical calls are shed. Default 500. */
  readonly eventLoopDelayMsFull?: number;
  /** Share of the heap at which shedding begins, 0–1. Default 0.85. */
  readonly heapUsedShareFrom?: number;
  /** Share of the heap at which all but critical calls are shed, 0–1. Default 0.95. */
  readonly heapUsedShareFull?: number;
  /** How long load must stay lower before less is shed, in milliseconds. Default 1 000. */
  readonly holdMs?: number;
  /** What a shed caller is told to wait, in milliseconds. Default 1 000. */
  readonly retryAfterMs?: number;
}

/** Answers kept by `key`. Calls without a key pass it by. */
export interface CacheSpec {
  /** An answer younger than this is given without a call, in milliseconds; 0 asks each time and keeps answers for the `cache` fallback only. Default 0. */
  readonly freshMs?: number;
  /** Age up to which an answer may stand in for a failed call, in milliseconds. Default 3 600 000. */
  readonly staleMsMax?: number;
  /** Most answers kept; the one unused for longest goes first, ≥ 1. Default 1 000. */
  readonly entriesMax?: number;
  /** Whether calls of one key at one time share one call. Default true. */
  readonly coalesce?: boolean;
  /** Whether an answer may be kept; one that may not leaves an earlier one where it is. Not changeable at run time. Default: every answer. */
  readonly keeps?: (answer: unknown) => boolean;
}

/** Which failures a fallback is for. Default: all that is not the caller's own doing, that is neither aborts nor `invalid` errors. */
export type FallbackCondition = (error: unknown) => boolean;

/** What is done instead, tried in the order given. */
export type FallbackSpec =
  /** The last good answer of the same key, within {@link CacheSpec.staleMsMax}. Needs `cache`. */
  | { readonly kind: 'cache'; readonly when?: FallbackCondition }
  /** Takes the call's `entry` durably; the caller gets a receipt. Calls without an entry pass it by. */
  | { readonly kind: 'queue'; readonly queue: FallbackQueue; readonly when?: FallbackCondition }
  /** A default. */
  | { readonly kind: 'stub'; readonly value: (error: unknown, call: FallbackCall) => unknown; readonly when?: FallbackCondition }
  /** Nothing: the feature is off, the caller gets undefined. */
  | { readonly kind: 'silent'; readonly when?: FallbackCondition };

/** What a stub may know of the call. */
export interface FallbackCall {
  /** Key of the call, if it has one. */
  readonly key: string | undefined;
  /** Signal of the caller, if there is one. */
  readonly signal: AbortSignal | undefined;
}

/** One kind of fallback. */
export type FallbackKind = FallbackSpec['kind'];

/** What is injected into attempts, innermost, so that every policy above it sees it as real. */
export interface ChaosSpec {
  /** Whether this pipeline may ever inject anything; `update` cannot change it. Default false. */
  readonly allowed: boolean;
  /** Injections, the first that matches acts. Default: none. */
  readonly rules?: readonly ChaosRule[];
}

/** One injection; the first rule that matches an attempt acts. */
export type ChaosRule = {
  /** Share of the attempts that it meets, 0–1. Default 1. */
  readonly rate?: number;
  /** Only attempts of calls with one of these keys. Default: all attempts. */
  readonly keys?: readonly string[];
} & (
  | /** Waits before the work, in milliseconds, ≥ 0. */ { readonly kind: 'latency'; readonly ms: number }
  | /** Fails instead of the work. */ { readonly kind: 'fault'; readonly error?: () => unknown }
  | /** Answers instead of the work. */ { readonly kind: 'outcome'; readonly value: unknown }
  | /** Neither answers nor heeds the signal, for good. */ { readonly kind: 'hang' }
);

/** A pipeline as declared. Policies that are left out are not there; `timeout` always is. */
export interface PipelineSpec {
  /** `[a-z][a-z0-9-]*`, at most 64 characters: it is a metric's label. */
  readonly name: string;
  /** What stands at the other end; several pipelines may share one. Default: the name. */
  readonly dependency?: string;
  /** Time limits. Default: those of {@link TimeoutSpec}. */
  readonly timeout?: TimeoutSpec;
  /** Tries failed attempts again. Default: none. */
  readonly retry?: RetrySpec;
  /** Stops asking a dependency that fails or is slow. Default: none. */
  readonly breaker?: BreakerSpec;
  /** Bounds the calls that run at once. Default: none. */
  readonly bulkhead?: BulkheadSpec;
  /** Refuses calls while the process is overloaded; needs a source of load. Default: none. */
  readonly shed?: ShedSpec;
  /** Keeps answers. Default: none. */
  readonly cache?: CacheSpec;
  /** What is done instead of a call that did not succeed, in this order. Default: nothing. */
  readonly fallbacks?: readonly FallbackSpec[];
  /** Most fallbacks at once, ≥ 1. Default 10. */
  readonly fallbackConcurrencyMax?: number;
  /** Injected trouble. Default: not allowed. */
  readonly chaos?: ChaosSpec;
  /** Tells what kind of failure an error is. Default {@link classifyError}. */
  readonly classify?: (error: unknown) => ErrorClass;
}
