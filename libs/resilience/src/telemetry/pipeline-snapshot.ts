import type { CallResult, ShedLevel } from './pipeline-event.ts';
import type { RejectionCode } from '../errors/errors.ts';
import type { FallbackKind } from '../settings/pipeline-spec.ts';

/** Who decides: `auto` the breaker itself, otherwise an operator. `disabled` lets everything through and counts nothing. */
export type BreakerMode = 'auto' | 'forced-open' | 'forced-closed' | 'disabled';

/** Where the circuit stands. `half-open` also when the open time is over and nobody has called since. `ramping` is closed, with a growing share of calls let through. */
export type BreakerStateName = 'closed' | 'ramping' | 'open' | 'half-open';

/** What a pipeline looks like at one moment. Plain JSON. Counters run from the pipeline's start. */
export interface PipelineSnapshot {
  readonly name: string;
  readonly dependency: string;
  /** Present when there is a breaker. */
  readonly breaker?: {
    readonly mode: BreakerMode;
    readonly state: BreakerStateName;
    /** Epoch milliseconds at which this state began. */
    readonly sinceMs: number;
    /** While open: milliseconds until it probes; 0 when the next call does. */
    readonly retryAfterMs?: number;
    /** Votes in the window. */
    readonly votes: number;
    readonly failures: number;
    readonly slow: number;
    /** Failures per vote, 0–1; 0 without votes. */
    readonly failureShare: number;
    readonly slowShare: number;
  };
  /** Present when there is a bulkhead. */
  readonly bulkhead?: { readonly concurrencyMax: number; readonly queueMax: number; readonly queued: number };
  /** Calls whose work is going on, abandoned ones included. */
  readonly inFlight: number;
  /** Work whose caller has gone: after a timeout or an abort. Part of {@link inFlight}. */
  readonly zombies: number;
  /** Present when there is a retry budget: how many retries it has left now. */
  readonly retryBudget?: { readonly available: number; readonly ratio: number; readonly perSecondMin: number };
  /** Present when load is shed. */
  readonly shed?: { readonly level: ShedLevel; readonly load: number };
  /** Present when answers are cached or calls coalesced. */
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
