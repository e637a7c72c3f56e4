import { RejectedError } from '../errors/errors.ts';
import type { SettingsInForce } from '../settings/pipeline-settings.ts';
import type { Counters } from '../telemetry/counters.ts';
import type { EventHub } from '../telemetry/event-hub.ts';
import type { CallResult } from '../telemetry/pipeline-event.ts';
import type { Clock } from '../time/clock.ts';
import type { AnyCallOptions } from './call-options.ts';
import type { Lifecycle } from './lifecycle.ts';

const noOptions: AnyCallOptions = {};

/**
 * - `single`: the call is one attempt without retries, cache or fallbacks.
 * - `composed`: other policies surround the attempts.
 * - `shared`: the work of several coalesced calls. Those calls are counted instead of it.
 */
export type CallRole = 'single' | 'composed' | 'shared';

/** Dependencies of a call. */
export interface CallDeps {
  /** Name of the pipeline. */
  readonly name: string;
  readonly clock: Clock;
  readonly monotonic: () => number;
  readonly settings: SettingsInForce;
  readonly counters: Counters;
  readonly events: EventHub;
  readonly lifecycle: Pick<Lifecycle, 'noticeIdle'>;
}

/** One call through the pipeline. Times are monotonic milliseconds. */
export class Call {
  readonly startedMs: number;
  /** Time at which the call must be over. */
  readonly dueMs: number;
  /** Whether {@link dueMs} is the caller's deadline rather than the total time limit. */
  readonly dueByCaller: boolean;
  readonly signal: AbortSignal | undefined;
  readonly key: string | undefined;
  readonly idempotent: boolean;
  /** Number of attempts that started their work. */
  attempts = 0;
  readonly #deps: CallDeps;
  readonly #role: CallRole;

  constructor(
    deps: CallDeps,
    readonly options: AnyCallOptions = noOptions,
    role: CallRole = 'composed',
  ) {
    this.#deps = deps;
    this.#role = role;
    const { deadline } = options;
    this.startedMs = deps.monotonic();
    const { totalMs } = deps.settings.current.timeout;
    const callerMs = deadline === undefined ? totalMs : deadline - deps.clock.now();
    this.dueByCaller = callerMs < totalMs;
    this.dueMs = this.startedMs + (this.dueByCaller ? callerMs : totalMs);
    this.signal = options.signal;
    this.key = options.key;
    this.idempotent = options.idempotent === true;
    if (role === 'shared') return;
    deps.counters.calls += 1;
    deps.counters.active += 1;
  }

  /** Whether the end of its one attempt is the end of the call. */
  get single(): boolean {
    return this.#role === 'single';
  }

  /** Whether it is the work of several calls. */
  get shared(): boolean {
    return this.#role === 'shared';
  }

  /** Milliseconds until {@link dueMs}. */
  remainingMs(): number {
    return this.dueMs - this.#deps.monotonic();
  }

  /** Whether this error is the reason of the caller's own abort. */
  isAbortedBy(error: unknown): boolean {
    return this.signal?.aborted === true && this.signal.reason === error;
  }

  /** Counts a rejection of the call or of one of its attempts. */
  countRejection({ code, retryAfterMs }: RejectedError): void {
    const { counters, events } = this.#deps;
    counters.rejections[code] += 1;
    if (events.hasListeners) events.emit({ type: 'CallRejected', code, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
  }

  /** Ends the call: its caller gets an answer or an error now. */
  finish(result: CallResult, error?: unknown): void {
    const { counters, events, monotonic, lifecycle } = this.#deps;
    counters.active -= 1;
    counters.results[result] += 1;
    if (events.hasListeners) {
      const durationMs = monotonic() - this.startedMs;
      events.emit({ type: 'CallFinished', result, durationMs, attempts: this.attempts, ...(error === undefined ? {} : { error }) });
    }
    lifecycle.noticeIdle();
  }

  /** Result of a call that ends with this error. */
  classifyEnd(error: unknown): 'failed' | 'rejected' | 'aborted' {
    if (this.isAbortedBy(error)) return 'aborted';
    // A rejection by a nested pipeline is a failure of this call.
    return error instanceof RejectedError && error.pipeline === this.#deps.name ? 'rejected' : 'failed';
  }

  /** Ends the call with this error and returns its result. */
  finishWithError(error: unknown): 'failed' | 'rejected' | 'aborted' {
    const result = this.classifyEnd(error);
    this.finish(result, error);
    return result;
  }
}
