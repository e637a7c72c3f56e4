import type { BreakerMode, BreakerStateName } from './pipeline-snapshot.ts';
import type { ErrorClass } from '../errors/error-class.ts';
import type { RejectionCode } from '../errors/errors.ts';
import type { ChaosRule, FallbackKind } from '../settings/pipeline-spec.ts';

/** What all events carry. */
interface Happening {
  /** Name of the pipeline. */
  readonly pipeline: string;
  /** Epoch milliseconds. */
  readonly atMs: number;
}

/** How a call ended for its caller. `fell-back` and `cached` are good answers that did not come from this call's own work. */
export type CallResult = 'succeeded' | 'cached' | 'fell-back' | 'failed' | 'rejected' | 'aborted';

/** How an attempt ended. `rejected` never began its work. */
export type AttemptResult = 'succeeded' | 'failed' | 'timed-out' | 'aborted' | 'rejected';

/** What happens inside a pipeline, told as it happens. */
export type PipelineEvent = Happening &
  (
    | /** A call is over. One for each call. */ { readonly type: 'CallFinished'; readonly result: CallResult; readonly durationMs: number; readonly attempts: number; readonly error?: unknown }
    | /** An attempt is over. One for each attempt. */ {
        readonly type: 'AttemptFinished';
        /** Counted from 0. */
        readonly attempt: number;
        readonly result: AttemptResult;
        readonly durationMs: number;
        readonly slow: boolean;
        readonly errorClass?: ErrorClass;
        readonly error?: unknown;
      }
    | /** A call or one of its attempts was refused. */ { readonly type: 'CallRejected'; readonly code: RejectionCode; readonly retryAfterMs?: number }
    | /** Another attempt follows after a wait. */ { readonly type: 'RetryScheduled'; readonly attempt: number; readonly waitMs: number; readonly error: unknown }
    | { readonly type: 'CircuitOpened'; readonly reason: 'failures' | 'slowness' | 'probe-failed' | 'forced'; readonly openMs?: number; readonly failureShare: number; readonly slowShare: number; readonly votes: number }
    | { readonly type: 'CircuitHalfOpened'; readonly probes: number }
    | { readonly type: 'CircuitClosed'; readonly reason: 'probed' | 'forced'; readonly rampMs: number }
    | /** Somebody took the breaker out of or gave it back its own judgement. */ { readonly type: 'CircuitModeChanged'; readonly mode: BreakerMode; readonly state: BreakerStateName }
    | /** A call waits for its turn. */ { readonly type: 'BulkheadQueued'; readonly queued: number }
    | /** The caller has its answer, but the work goes on and keeps its permit. */ { readonly type: 'WorkAbandoned'; readonly zombies: number }
    | /** Abandoned work has ended. */ { readonly type: 'ZombieEnded'; readonly lateMs: number; readonly zombies: number }
    | /** 0 sheds nothing, 1 low, 2 normal and low, 3 all but critical. */ { readonly type: 'ShedLevelChanged'; readonly level: ShedLevel; readonly load: number }
    | { readonly type: 'CacheHit'; readonly ageMs: number }
    | { readonly type: 'CallCoalesced'; readonly key: string }
    | { readonly type: 'FallbackUsed'; readonly kind: FallbackKind; readonly error: unknown; readonly ageMs?: number }
    | /** A fallback did not help; the next of the chain follows. */ { readonly type: 'FallbackFailed'; readonly kind: FallbackKind; readonly error: unknown }
    | { readonly type: 'QueueReplayed'; readonly replayed: number; readonly kept: number }
    | { readonly type: 'ChaosInjected'; readonly kind: ChaosRule['kind'] }
    | { readonly type: 'SettingsChanged'; readonly changed: readonly string[] }
    | { readonly type: 'PipelineClosed' }
  );

/** Name of an event. */
export type PipelineEventType = PipelineEvent['type'];

/** The event of one name. */
export type PipelineEventOf<Type extends PipelineEventType> = Extract<PipelineEvent, { readonly type: Type }>;

/** How much is shed: 0 nothing, 1 low, 2 normal and low, 3 all but critical. */
export type ShedLevel = 0 | 1 | 2 | 3;

/** Where to hear of events. Listeners run inside the call: they must be quick and must not throw; what they throw is counted and swallowed. */
export interface PipelineEvents {
  /** Hears everything. Returns the end of the subscription. */
  subscribe(listener: (event: PipelineEvent) => void): () => void;
  /** Hears events of one name. Returns the end of the subscription. */
  on<Type extends PipelineEventType>(type: Type, listener: (event: PipelineEventOf<Type>) => void): () => void;
}
