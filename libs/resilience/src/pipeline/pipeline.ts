import type { LoadSource } from '../admission/load-source.ts';
import type { CallFallback, CallOptions } from '../call/call-options.ts';
import type { Outcome } from '../call/outcome.ts';
import type { AttemptContext, Work } from '../call/work.ts';
import type { QueueEntry, QueuedReceipt, ReplaySummary } from '../fallback-queue/fallback-queue.ts';
import type { RetryBudget } from '../retry/retry-budget.ts';
import type { PipelinePatch, PipelineSettings } from '../settings/pipeline-settings.ts';
import type { PipelineSpec } from '../settings/pipeline-spec.ts';
import type { PipelineEvent, PipelineEvents } from '../telemetry/pipeline-event.ts';
import type { PipelineSnapshot } from '../telemetry/pipeline-snapshot.ts';
import type { Clock } from '../time/clock.ts';

/** Dependencies of a pipeline that the application provides. */
export interface PipelineDeps {
  /** Default: the clock of the machine. */
  readonly clock?: Clock;
  /** Returns numbers in [0, 1). Default: `Math.random`. */
  readonly random?: () => number;
  /** Gets every event; the same as an immediate subscription. */
  readonly onEvent?: (event: PipelineEvent) => void;
  /** Required if the spec declares `shed`. */
  readonly load?: LoadSource;
  /** Retry budget that all pipelines of a dependency share. Default: a budget of this pipeline alone. */
  readonly retryBudget?: RetryBudget;
}

/** Whether a spec of this type may retry. It may unless the type shows that it has no `retry`. */
export type MayRetry<S extends PipelineSpec> = 'retry' extends keyof S ? (S['retry'] extends undefined ? false : true) : false;

/** Options of a call. If the pipeline may retry, `idempotent` is required, because no default is safe. */
export type ExecuteOptions<S extends PipelineSpec> =
  MayRetry<S> extends true ? CallOptions & { readonly idempotent: boolean } : CallOptions;

/** Arguments of {@link Pipeline.execute} after the work. The options may be omitted if none is required. */
export type ExecuteArguments<S extends PipelineSpec, T = unknown> =
  MayRetry<S> extends true ? [options: ExecuteOptions<S> & CallFallback<T>] : [options?: CallOptions & CallFallback<T>];

/** Type of the values that the fallbacks of a spec may return instead of the work's own type. */
export type FallbackValue<S extends PipelineSpec> = 'fallbacks' extends keyof S
  ? FallbackValueOf<NonNullable<S['fallbacks']>[number]>
  : never;

type FallbackValueOf<F> = F extends { readonly kind: 'stub'; readonly value: (...args: never[]) => infer V }
  ? Awaited<V>
  : F extends { readonly kind: 'queue' }
    ? QueuedReceipt
    : F extends { readonly kind: 'silent' }
      ? undefined
      : never;

/**
 * Operation of a pipeline: everything that operators and telemetry need. It does not depend on the spec, so a list can hold all pipelines.
 */
export interface PipelineControl {
  readonly name: string;
  readonly dependency: string;
  readonly events: PipelineEvents;
  /** Work that runs now, zombies included. The same as `snapshot().inFlight`, but cheap enough for every event. */
  readonly inFlight: number;
  /**
   * Changes settings at run time. Running calls keep the settings with which they started.
   * @throws PipelineSettingsError when the new settings are invalid or name a policy that the pipeline does not have; nothing changes
   */
  update(patch: PipelinePatch): void;
  /** Settings in force with all defaults. Plain JSON. */
  settings(): PipelineSettings;
  snapshot(): PipelineSnapshot;
  /** Opens the circuit until the next mode change. @throws TypeError without a breaker */
  forceOpen(): void;
  /** Admits every call until the next mode change. The breaker still counts. @throws TypeError without a breaker */
  forceClosed(): void;
  /** Admits every call and counts nothing. @throws TypeError without a breaker */
  disable(): void;
  /** Returns control to the breaker: closed, with an empty window. @throws TypeError without a breaker */
  auto(): void;
  /** Rejects new calls. Resolves when all work has ended, zombies included. @throws the signal's reason */
  drain(options?: { readonly signal?: AbortSignal }): Promise<void>;
  /** Rejects new calls, fails waiting ones and releases timers. Running work continues. */
  close(): void;
}

/**
 * All policies around the calls to one dependency. Order, outer to inner: fallback, cache, deadline, shed, retry, breaker, bulkhead,
 * attempt timeout, chaos, work.
 */
export interface Pipeline<S extends PipelineSpec = PipelineSpec> extends PipelineControl {
  /**
   * Runs the work under all policies.
   * @throws RejectedError when the pipeline rejects the call
   * @throws AttemptTimeoutError when the last attempt takes too long
   * @throws the caller's abort reason, or the error of the last attempt
   */
  execute<T>(work: Work<T>, ...args: ExecuteArguments<S, T>): Promise<T | FallbackValue<S>>;
  /** Does the same and returns the result as a value. The promise is never rejected. */
  executeOutcome<T>(work: Work<T>, ...args: ExecuteArguments<S, T>): Promise<Outcome<T, FallbackValue<S>>>;
  /**
   * Runs the queued work through this pipeline in groups of one key, in one pass. Each group is one call. It does not queue failed work
   * again; the queue keeps it.
   * @throws TypeError when the pipeline has no `queue` fallback
   */
  replay(
    work: (entries: readonly QueueEntry[], context: AttemptContext) => unknown,
    options?: { readonly signal?: AbortSignal },
  ): Promise<ReplaySummary>;
}
