import { problemOf, type Problem, type ProblemName, type Violation } from '@millrace/contracts';
import { CodedError } from '@millrace/resilience';

/** Error codes of an event. Each is the name of a problem document. */
export type PurchaseErrorCode = Extract<
  ProblemName,
  | 'invalid-json'
  | 'validation'
  | 'event-too-large'
  | 'idempotency-conflict'
  | 'unavailable'
  | 'overloaded'
  | 'deadline-exceeded'
  | 'client-closed'
  | 'internal'
>;

const retryableCodes: ReadonlySet<PurchaseErrorCode> = new Set(['unavailable', 'overloaded', 'deadline-exceeded']);

/** Facts of one {@link PurchaseError}. */
export interface PurchaseErrorDetails {
  readonly errors?: readonly Violation[];
  /** Id under which the client may send the same event again. */
  readonly eventId?: string;
  readonly retryAfterSeconds?: number;
  readonly cause?: unknown;
}

/** The base of all errors of this app. */
export class PurchaseError extends CodedError {
  readonly code: PurchaseErrorCode;
  /** Whether the same request may succeed later. */
  readonly retryable: boolean;

  constructor(
    code: PurchaseErrorCode,
    message: string,
    readonly details: PurchaseErrorDetails = {},
  ) {
    super(message, { cause: details.cause });
    this.code = code;
    this.retryable = retryableCodes.has(code);
  }

  /** The problem document. */
  toProblem(): Problem {
    const { cause: _cause, ...extra } = this.details;
    return problemOf(this.code, { detail: this.message, ...extra });
  }
}

/**
 * Reason of an {@link OutboxError}.
 *
 * - `queue-full`: the outbox is full until the drainer has published events.
 * - `unwritable`: the disk failed.
 * - `closed`: the service stops.
 * - `locked`: another process has the directory.
 * - `damaged`: a durable record cannot be read.
 * - `other-format`: another release wrote the log, in a format that this one does not read.
 */
export type OutboxErrorCode = 'queue-full' | 'unwritable' | 'closed' | 'locked' | 'damaged' | 'other-format';

/** An error of the outbox. */
export class OutboxError extends CodedError {
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;

  constructor(
    readonly code: OutboxErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.retryable = code === 'queue-full' || code === 'unwritable';
  }
}

/** Kafka answers, but the topic is missing, or it is not as its stream declares it. The stream waits; other streams do not. */
export class TopicError extends CodedError {
  readonly code = 'topic-mismatch';
  /** An operator may create the topic at any time. */
  readonly retryable = true;
}
