import type { Clock } from '../time/clock.ts';
import type { PipelineEvent, PipelineEvents } from '../telemetry/pipeline-event.ts';
import type { QueueEntry, QueuedReceipt, ReplaySummary } from '../fallback-queue/fallback-queue.ts';
import type { LoadSource, Priority } from '../admission/load-source.ts';
import type { Outcome } from '../call/outcome.ts';
import type { PipelinePatch, PipelineSettings } from '../settings/pipeline-settings.ts';
import type { PipelineSnapshot } from '../telemetry/pipeline-snapshot.ts';
import type { RetryBudget } from '../retry/retry-budget.ts';
import type { PipelineSpec } from '../settings/pipeline-spec.ts';

/** What the outside gives a pipeline. */
export interface PipelineDeps {
  /** Default: the machine's clock. */
  readonly clock?: Clock;
  /** Numbers in [0, 1). Default: `Math.random`. */
  readonly random?: () => number;
  /** Hears every event; the same as subscribing at once. */
  readonly onEvent?: (event: PipelineEvent) => void;
  /** Needed when `shed` is declared. */
  readonly load?: LoadSource;
  /** A retry budget shared by all pipelines of a dependency. Default: the pipeline's own. */
  readonly retryBudget?: RetryBudget;
}

/** What one attempt gets. */
export interface AttemptContext {
  /** Aborted when the attempt's time is over or the caller gives up. Pass it on: work that ignores it keeps its bulkhead permit until it ends. */
  readonly signal: AbortSignal;
  /** Number of this attempt, from 0. */
  readonly attempt: number;
  /** Epoch milliseconds at which this attempt must be over; pass it on to the dependency. */
  readonly deadline: number;
}

/** The work. */
export type Work<T> = (context: AttemptContext) => T | PromiseLike<T>;

/** What a call says of itself. */
export interface CallOptions {
  /** Ends the call, whatever it is waiting for. It may live long: the pipeline leaves no listener on it. */
  readonly signal?: AbortSignal | undefined;
  /** Epoch milliseconds after which nobody waits for the answer. */
  readonly deadline?: number | undefined;
  /** What the call is about: identifies answers in the cache and calls that can share one; chaos can aim at it. */
  readonly key?: string | undefined;
  /** Default `normal`. */
  readonly priority?: Priority | undefined;
  /** Whether doing the work twice is the same as doing it once. Only then is it tried again. */
  readonly idempotent?: boolean | undefined;
  /** What the `queue` fallback takes when the work cannot be done now. */
  readonly entry?: QueueEntry | undefined;
}

/** Whether a spec of this type may retry: unless it is known to have no `retry`. */
export type MayRetry<S extends PipelineSpec> = 'retry' extends keyof S ? (S['retry'] extends undefined ? false : true) : false;

/** A pipeline that may retry must be told whether the work is idempotent: there is no safe default to forget. */
export type ExecuteOptions<S extends PipelineSpec> = MayRetry<S> extends true ? CallOptions & { readonly idempotent: boolean } : CallOptions;

/** A fallback of one call. */
export interface CallFallback<T> {
  /** Last of the pipeline's fallbacks, for this call alone; counted as a `stub` and within the fallbacks' limits. Default: none. */
  readonly stub?: ((error: unknown) => T | PromiseLike<T>) | undefined;
}

/** Options may be left out where nothing is required. */
export type ExecuteArguments<S extends PipelineSpec, T = unknown> = MayRetry<S> extends true ? [options: ExecuteOptions<S> & CallFallback<T>] : [options?: CallOptions & CallFallback<T>];

/** What the fallbacks of a spec may answer instead of the work's own type. */
export type FallbackValue<S extends PipelineSpec> = 'fallbacks' extends keyof S ? FallbackValueOf<NonNullable<S['fallbacks']>[number]> : never;

type FallbackValueOf<F> = F extends { readonly kind: 'stub'; readonly value: (...args: never[]) => infer V }
  ? Awaited<V>
  : F extends { readonly kind: 'queue' }
    ? QueuedReceipt
    : F extends { readonly kind: 'silent' }
      ? undefined
      : never;

/** What operators and telemetry need of a pipeline, whatever work it does: a list of these is a list of all pipelines. */
export interface PipelineControl {
  readonly name: string;
  readonly dependency: string;
  readonly events: PipelineEvents;
  /** Work that goes on now, zombies included: `snapshot().inFlight`, cheap enough to be asked for at each event. */
  readonly inFlight: number;
  /**
   * Changes settings at run time; calls that run keep what they began with.
   * @throws PipelineSettingsError when the result could not be used, or a policy is not part of this pipeline; nothing changes then
   */
  update(patch: PipelinePatch): void;
  /** The settings in force, defaults filled in. Plain JSON. */
  settings(): PipelineSettings;
  snapshot(): PipelineSnapshot;
  /** Refuses every call until told otherwise. @throws TypeError without a breaker */
  forceOpen(): void;
  /** Lets every call through until told otherwise; keeps counting. @throws TypeError without a breaker */
  forceClosed(): void;
  /** Lets every call through and counts nothing. @throws TypeError without a breaker */
  disable(): void;
  /** Gives the breaker its judgement back, closed and with an empty window. @throws TypeError without a breaker */
  auto(): void;
  /** Refuses new calls and resolves when all work has ended, zombies included. @throws the signal's reason */
  drain(options?: { readonly signal?: AbortSignal }): Promise<void>;
  /** Refuses new calls, ends waiting ones and releases timers. Work that runs goes on. */
  close(): void;
}

/** All policies around the calls to one dependency. Order, outer to inner: fallback, cache, deadline, shed, retry, breaker, bulkhead, attempt timeout, chaos, work. */
export interface Pipeline<S extends PipelineSpec = PipelineSpec> extends PipelineControl {
  /**
   * Does the work under all policies.
   * @throws RejectedError when it was refused
   * @throws AttemptTimeoutError when the last attempt took too long
   * @throws the caller's abort reason, or whatever the last attempt threw
   */
  execute<T>(work: Work<T>, ...args: ExecuteArguments<S, T>): Promise<T | FallbackValue<S>>;
  /** The same, told as a value. The promise is never rejected. */
  executeOutcome<T>(work: Work<T>, ...args: ExecuteArguments<S, T>): Promise<Outcome<T, FallbackValue<S>>>;
  /**
   * Does queued work through this pipeline, in one pass, without queueing it again.
   * @throws TypeError when the pipeline has no `queue` fallback
   */
  replay(work: (entry: QueueEntry, context: AttemptContext) => unknown, options?: { readonly signal?: AbortSignal }): Promise<ReplaySummary>;
}
