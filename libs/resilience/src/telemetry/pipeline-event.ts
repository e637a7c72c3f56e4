import type { ErrorClass } from '../errors/error-class.ts';
import type { RejectionCode } from '../errors/errors.ts';
import type { ChaosRule, FallbackKind } from '../settings/pipeline-spec.ts';

/** Fields of every event. */
interface EventOrigin {
  /** Name of the pipeline. */
  readonly pipeline: string;
  /** Epoch milliseconds. */
  readonly atMs: number;
}

/** Result of a call for its caller. `fell-back` and `cached` are good answers that do not come from the work of this call. */
export type CallResult = 'succeeded' | 'cached' | 'fell-back' | 'failed' | 'rejected' | 'aborted';

/** Result of an attempt. A `rejected` attempt never started its work. */
export type AttemptResult = 'succeeded' | 'failed' | 'timed-out' | 'aborted' | 'rejected';

/** Control of the circuit: `auto` by the breaker, otherwise by an operator. `disabled` admits every call and counts nothing. */
export type BreakerMode = 'auto' | 'forced-open' | 'forced-closed' | 'disabled';

/**
 * State of the circuit. It is `half-open` as soon as the open time is over, even without a call.
 * `ramping` means closed with a growing ratio of admitted calls.
 */
export type BreakerStateName = 'closed' | 'ramping' | 'open' | 'half-open';

/** Priorities that are shed: 0 none, 1 low, 2 normal and low, 3 all but critical. */
export type ShedLevel = 0 | 1 | 2 | 3;

/** An event inside a pipeline, delivered when it happens. */
export type PipelineEvent = EventOrigin &
  (
    | /** A call ended. Emitted once per call. */ {
        readonly type: 'CallFinished';
        readonly result: CallResult;
        readonly durationMs: number;
        readonly attempts: number;
        readonly error?: unknown;
      }
    | /** An attempt ended. Emitted once per attempt. */ {
        readonly type: 'AttemptFinished';
        /** Counted from 0. */
        readonly attempt: number;
        readonly result: AttemptResult;
        readonly durationMs: number;
        readonly slow: boolean;
        readonly errorClass?: ErrorClass;
        readonly error?: unknown;
      }
    | /** The pipeline rejected a call or one of its attempts. */ {
        readonly type: 'CallRejected';
        readonly code: RejectionCode;
        readonly retryAfterMs?: number;
      }
    | /** Another attempt follows after `waitMs`. */ {
        readonly type: 'RetryScheduled';
        readonly attempt: number;
        readonly waitMs: number;
        readonly error: unknown;
      }
    | {
        readonly type: 'CircuitOpened';
        readonly reason: 'failures' | 'slowness' | 'probe-failed' | 'forced';
        readonly breakDurationMs?: number;
        readonly failureRatio: number;
        readonly slowCallRatio: number;
        /** Number of recorded calls in the window. */
        readonly calls: number;
      }
    | { readonly type: 'CircuitHalfOpened'; readonly probes: number }
    | { readonly type: 'CircuitClosed'; readonly reason: 'probed' | 'forced'; readonly rampMs: number }
    | /** An operator took or returned control of the circuit. */ {
        readonly type: 'CircuitModeChanged';
        readonly mode: BreakerMode;
        readonly state: BreakerStateName;
      }
    | /** A call waits for a bulkhead permit. */ { readonly type: 'BulkheadQueued'; readonly queued: number }
    | /** The caller has its answer, but the work continues and keeps its permit. */ {
        readonly type: 'WorkAbandoned';
        readonly zombies: number;
      }
    | /** Abandoned work ended. */ { readonly type: 'ZombieEnded'; readonly lateMs: number; readonly zombies: number }
    | { readonly type: 'ShedLevelChanged'; readonly level: ShedLevel; readonly load: number }
    | { readonly type: 'CacheHit'; readonly ageMs: number }
    | { readonly type: 'CallCoalesced'; readonly key: string }
    | { readonly type: 'FallbackUsed'; readonly kind: FallbackKind; readonly error: unknown; readonly ageMs?: number }
    | /** A fallback failed; the next one of the chain follows. */ {
        readonly type: 'FallbackFailed';
        readonly kind: FallbackKind;
        readonly error: unknown;
      }
    | { readonly type: 'QueueReplayed'; readonly replayed: number; readonly kept: number }
    | { readonly type: 'ChaosInjected'; readonly kind: ChaosRule['kind'] }
    | { readonly type: 'SettingsChanged'; readonly changed: readonly string[] }
    | { readonly type: 'PipelineClosed' }
  );

/** Name of an event. */
export type PipelineEventType = PipelineEvent['type'];

/** The event with one name. */
export type PipelineEventOf<Type extends PipelineEventType> = Extract<PipelineEvent, { readonly type: Type }>;

/**
 * Subscriptions to the events of a pipeline. Listeners run inside the call, so they must be fast and must not throw.
 * The pipeline counts and drops errors of listeners.
 */
export interface PipelineEvents {
  /** Subscribes to all events. Returns a function that ends the subscription. */
  subscribe(listener: (event: PipelineEvent) => void): () => void;
  /** Subscribes to the events with one name. Returns a function that ends the subscription. */
  on<Type extends PipelineEventType>(type: Type, listener: (event: PipelineEventOf<Type>) => void): () => void;
}
