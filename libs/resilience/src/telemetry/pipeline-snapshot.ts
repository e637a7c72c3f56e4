import type { RejectionCode } from '../errors/errors.ts';
import type { FallbackKind } from '../settings/pipeline-spec.ts';
import type { BreakerMode, BreakerStateName, CallResult, ShedLevel } from './pipeline-event.ts';

/** State of a pipeline at one moment. Plain JSON. Counters start with the pipeline. */
export interface PipelineSnapshot {
  readonly name: string;
  readonly dependency: string;
  /** Present if the pipeline has a breaker. */
  readonly breaker?: BreakerSnapshot;
  /** Present if the pipeline has a bulkhead. */
  readonly bulkhead?: { readonly concurrencyMax: number; readonly queueMax: number; readonly queued: number };
  /** Calls whose work runs, zombies included. */
  readonly inFlight: number;
  /** Work that runs although its caller no longer waits, after a timeout or an abort. Part of {@link inFlight}. */
  readonly zombies: number;
  /** Present if the pipeline has a retry budget. `available` is the number of retries that are left now. */
  readonly retryBudget?: { readonly available: number; readonly ratio: number; readonly perSecondMin: number };
  /** Present if the pipeline sheds load. */
  readonly shed?: { readonly level: ShedLevel; readonly load: number };
  /** Present if the pipeline has a cache. */
  readonly cache?: { readonly entries: number; readonly entriesMax: number; readonly hits: number; readonly coalesced: number };
  readonly fallbacks: { readonly inFlight: number; readonly concurrencyMax: number };
  readonly totals: {
    readonly calls: number;
    readonly results: Readonly<Record<CallResult, number>>;
    readonly attempts: number;
    readonly retries: number;
    readonly timeouts: number;
    readonly rejections: Readonly<Record<RejectionCode, number>>;
    readonly fallbacks: Readonly<Record<FallbackKind, number>>;
    readonly fallbackFailures: number;
    readonly chaosInjections: number;
    readonly listenerErrors: number;
  };
  readonly closed: boolean;
}

/** State of a circuit breaker at one moment. */
export interface BreakerSnapshot {
  readonly mode: BreakerMode;
  readonly state: BreakerStateName;
  /** Epoch milliseconds at which this state began. */
  readonly sinceMs: number;
  /** While open: milliseconds until the next call may probe; 0 when it may now. */
  readonly retryAfterMs?: number;
  /** Number of recorded calls in the window. */
  readonly calls: number;
  readonly failures: number;
  readonly slowCalls: number;
  /** Failures per recorded call, 0–1; 0 without calls. */
  readonly failureRatio: number;
  readonly slowCallRatio: number;
}
