/** Every reason for which a pipeline refuses a call without asking the dependency. */
export type RejectionCode =
  | 'circuit-open'
  | 'bulkhead-full'
  | 'bulkhead-wait-exceeded'
  | 'shed'
  | 'deadline-exceeded'
  | 'retry-budget-spent'
  | 'fallbacks-full'
  | 'pipeline-closed';

/** What all rejections carry. */
export interface RejectionDetails {
  /** Milliseconds after which asking again makes sense; undefined when nobody can say. */
  readonly retryAfterMs?: number | undefined;
  /** The failure that led here, such as the last attempt before the retry budget was spent. */
  readonly cause?: unknown;
}

/**
 * The call was refused: the dependency was not asked, or not asked again. It says nothing about the dependency, so it never votes in a breaker.
 * Made without a stack trace: a refusal is cheap by purpose, and its place in the code says nothing. `failed` errors belong to another family: they come from the work itself, or are a {@link AttemptTimeoutError}.
 */
export abstract class RejectedError extends Error {
  /** Which refusal; bounded, so it can be a metric's label. */
  abstract readonly code: RejectionCode;
  /** Whether the same call may be accepted later. */
  readonly retryable: boolean = true;
  /** Milliseconds after which asking again makes sense. */
  readonly retryAfterMs: number | undefined;

  /** @param pipeline Name of the pipeline that refused. */
  protected constructor(
    message: string,
    readonly pipeline: string,
    { retryAfterMs, cause }: RejectionDetails = {},
  ) {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(message, cause === undefined ? undefined : { cause });
    Error.stackTraceLimit = stackTraceLimit;
    this.retryAfterMs = retryAfterMs;
  }

  override get name(): string {
    return this.constructor.name;
  }
}

/** The circuit is open, forced open, or lets through only probes or a part of the calls at this moment. */
export class CircuitOpenError extends RejectedError {
  readonly code = 'circuit-open';

  constructor(pipeline: string, details?: RejectionDetails) {
    super(`The circuit "${pipeline}" is open.`, pipeline, details);
  }
}

/** As many calls run as may, and the queue behind them is full. */
export class BulkheadFullError extends RejectedError {
  readonly code = 'bulkhead-full';

  constructor(pipeline: string, details?: RejectionDetails) {
    super(`The bulkhead "${pipeline}" and its queue are full.`, pipeline, details);
  }
}

/** The call waited for its turn as long as it may. */
export class BulkheadWaitExceededError extends RejectedError {
  readonly code = 'bulkhead-wait-exceeded';

  constructor(pipeline: string, details?: RejectionDetails) {
    super(`A call waited for the bulkhead "${pipeline}" as long as it may.`, pipeline, details);
  }
}

/** The process has more work than it can do, and this call's priority is among those it leaves out. */
export class ShedError extends RejectedError {
  readonly code = 'shed';

  constructor(pipeline: string, details?: RejectionDetails) {
    super(`A call of "${pipeline}" was shed: the process is overloaded.`, pipeline, details);
  }
}

/** The deadline had passed before the dependency was asked. Work for nobody is refused. An attempt cut short by the deadline is an {@link AttemptTimeoutError}. */
export class DeadlineExceededError extends RejectedError {
  readonly code = 'deadline-exceeded';
  override readonly retryable = false;

  constructor(pipeline: string, details?: RejectionDetails) {
    super(`The deadline of a call of "${pipeline}" has passed.`, pipeline, details);
  }
}

/** Another attempt was due, but the dependency's budget for retries is spent. `cause` is the failure of the last attempt. */
export class RetryBudgetSpentError extends RejectedError {
  readonly code = 'retry-budget-spent';

  constructor(pipeline: string, details?: RejectionDetails) {
    super(`The retry budget of "${pipeline}" is spent.`, pipeline, details);
  }
}

/** As many fallbacks run as may. `cause` is what the fallback was for. */
export class FallbacksFullError extends RejectedError {
  readonly code = 'fallbacks-full';

  constructor(pipeline: string, details?: RejectionDetails) {
    super(`As many fallbacks of "${pipeline}" run as may.`, pipeline, details);
  }
}

/** The pipeline was closed, or is draining before the process ends. */
export class PipelineClosedError extends RejectedError {
  readonly code = 'pipeline-closed';

  constructor(pipeline: string, details?: RejectionDetails) {
    super(`The pipeline "${pipeline}" is closed.`, pipeline, details);
  }
}

/** An attempt took longer than it may, or than its caller's deadline left it. A failure, not a refusal: nobody knows what became of the work, which may still be going on. */
export class AttemptTimeoutError extends Error {
  readonly code = 'attempt-timeout';
  readonly retryable = true;

  /** @param timeoutMs How long the attempt was given, in milliseconds. */
  constructor(
    readonly pipeline: string,
    readonly timeoutMs: number,
  ) {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(`An attempt of "${pipeline}" took longer than ${timeoutMs} ms.`);
    Error.stackTraceLimit = stackTraceLimit;
  }

  override get name(): string {
    return 'AttemptTimeoutError';
  }
}

/** A failure that the chaos policy injected. */
export class ChaosFaultError extends Error {
  readonly code = 'chaos-fault';
  readonly retryable = true;

  constructor(readonly pipeline: string) {
    super(`A fault was injected into "${pipeline}".`);
    this.name = 'ChaosFaultError';
  }
}

/** A pipeline's settings contradict each other or are out of range; nothing was changed. */
export class PipelineSettingsError extends Error {
  readonly code = 'pipeline-settings-invalid';
  readonly retryable = false;

  /** @param problems One plain sentence for each setting that is wrong. */
  constructor(
    readonly pipeline: string,
    readonly problems: readonly string[],
  ) {
    super(`The settings of the pipeline "${pipeline}" cannot be used: ${problems.join(' ')}`);
    this.name = 'PipelineSettingsError';
  }
}

/** A {@link FallbackQueue} holds as much as it may. */
export class QueueFullError extends Error {
  readonly code = 'queue-full';
  readonly retryable = true;

  /** @param entriesMax How many entries it may hold. */
  constructor(readonly entriesMax: number) {
    super(`The queue holds ${entriesMax} entries, as many as it may.`);
    this.name = 'QueueFullError';
  }
}
