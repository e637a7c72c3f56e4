import { CodedError } from './coded-error.ts';

/** Reasons for which a pipeline rejects a call without asking the dependency. */
export type RejectionCode =
  | 'circuit-open'
  | 'bulkhead-full'
  | 'bulkhead-wait-exceeded'
  | 'shed'
  | 'deadline-exceeded'
  | 'retry-budget-spent'
  | 'fallbacks-full'
  | 'pipeline-closed';

/** Codes of all errors of this library. They are stable: match on the code, never on the message. */
export type ResilienceErrorCode = RejectionCode | 'attempt-timeout' | 'chaos-fault' | 'pipeline-settings-invalid' | 'queue-full';

/** Base of all errors of this library. */
export abstract class ResilienceError extends CodedError {
  readonly retryable: boolean = true;
}

/** Optional details of a rejection. */
export interface RejectionDetails {
  /** Milliseconds after which a new call makes sense; undefined when unknown. */
  readonly retryAfterMs?: number | undefined;
  /** The failure before the rejection, such as the last attempt before the retry budget was spent. */
  readonly cause?: unknown;
}

/**
 * The pipeline rejected the call: it did not ask the dependency, or did not ask it again. A rejection says nothing about the
 * dependency, so the breaker never counts it. It has no stack trace, because a rejection must be cheap.
 *
 * A *failure* is different: it comes from the work itself or is an {@link AttemptTimeoutError}.
 */
export abstract class RejectedError extends ResilienceError {
  abstract override readonly code: RejectionCode;
  /** Milliseconds after which a new call makes sense; undefined when unknown. */
  readonly retryAfterMs: number | undefined;

  /** @param pipeline Name of the pipeline that rejected the call. */
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
}

/** Thrown while the circuit is open or forced open, and for calls beyond the probes or the ramp of a recovering circuit. */
export class CircuitOpenError extends RejectedError {
  readonly code = 'circuit-open';

  constructor(pipeline: string, details?: RejectionDetails) {
    super(`The circuit "${pipeline}" is open.`, pipeline, details);
  }
}

/** Thrown when the bulkhead has no free permit and its queue is full. */
export class BulkheadFullError extends RejectedError {
  readonly code = 'bulkhead-full';

  constructor(pipeline: string, details?: RejectionDetails) {
    super(`The bulkhead "${pipeline}" and its queue are full.`, pipeline, details);
  }
}

/** Thrown when a call has waited in the bulkhead's queue for `queueWaitMsMax`. */
export class BulkheadWaitExceededError extends RejectedError {
  readonly code = 'bulkhead-wait-exceeded';

  constructor(pipeline: string, details?: RejectionDetails) {
    super(`A call waited too long for a permit of the bulkhead "${pipeline}".`, pipeline, details);
  }
}

/** Thrown when the process is overloaded and the call's priority is among the shed ones. */
export class ShedError extends RejectedError {
  readonly code = 'shed';

  constructor(pipeline: string, details?: RejectionDetails) {
    super(`A call of "${pipeline}" was shed: the process is overloaded.`, pipeline, details);
  }
}

/**
 * Thrown when the deadline has passed before the dependency was asked. Its caller no longer waits for the answer.
 * An attempt that the deadline cuts short ends with an {@link AttemptTimeoutError} instead.
 */
export class DeadlineExceededError extends RejectedError {
  readonly code = 'deadline-exceeded';
  override readonly retryable = false;

  constructor(pipeline: string, details?: RejectionDetails) {
    super(`The deadline of a call of "${pipeline}" has passed.`, pipeline, details);
  }
}

/** Thrown when another attempt was due but the retry budget of the dependency is spent. `cause` is the failure of the last attempt. */
export class RetryBudgetSpentError extends RejectedError {
  readonly code = 'retry-budget-spent';

  constructor(pipeline: string, details?: RejectionDetails) {
    super(`The retry budget of "${pipeline}" is spent.`, pipeline, details);
  }
}

/** Thrown when `fallbackConcurrencyMax` fallbacks run already. `cause` is the error that needed the fallback. */
export class FallbacksFullError extends RejectedError {
  readonly code = 'fallbacks-full';

  constructor(pipeline: string, details?: RejectionDetails) {
    super(`Too many concurrent fallbacks of "${pipeline}".`, pipeline, details);
  }
}

/** Thrown when the pipeline is closed, or drains before the process ends. */
export class PipelineClosedError extends RejectedError {
  readonly code = 'pipeline-closed';

  constructor(pipeline: string, details?: RejectionDetails) {
    super(`The pipeline "${pipeline}" is closed.`, pipeline, details);
  }
}

/**
 * Thrown when an attempt takes longer than its time limit or than its caller's deadline allows. It is a failure, not a rejection:
 * the result of the work is unknown, and the work may still run.
 */
export class AttemptTimeoutError extends ResilienceError {
  readonly code = 'attempt-timeout';

  /** @param timeoutMs Time that the attempt had, in milliseconds. */
  constructor(
    readonly pipeline: string,
    readonly timeoutMs: number,
  ) {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(`An attempt of "${pipeline}" took longer than ${timeoutMs} ms.`);
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** Failure that the chaos policy injects. */
export class ChaosFaultError extends ResilienceError {
  readonly code = 'chaos-fault';

  constructor(readonly pipeline: string) {
    super(`A fault was injected into "${pipeline}".`);
  }
}

/** Thrown when settings are out of range or contradict each other. The pipeline keeps its previous settings. */
export class PipelineSettingsError extends ResilienceError {
  readonly code = 'pipeline-settings-invalid';
  override readonly retryable = false;

  /** @param problems One sentence for each wrong setting. */
  constructor(
    readonly pipeline: string,
    readonly problems: readonly string[],
  ) {
    super(`Invalid settings of the pipeline "${pipeline}": ${problems.join(' ')}`);
  }
}

/** Thrown by a {@link FallbackQueue} that holds its maximum number of entries. */
export class QueueFullError extends ResilienceError {
  readonly code = 'queue-full';

  /** @param entriesMax Maximum number of entries. */
  constructor(readonly entriesMax: number) {
    super(`The queue is full: it holds ${entriesMax} entries, its maximum.`);
  }
}
