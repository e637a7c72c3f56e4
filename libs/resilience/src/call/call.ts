import { RejectedError } from '../errors/errors.ts';
import type { CallResult } from '../telemetry/pipeline-event.ts';
import type { PipelineSite } from '../pipeline/pipeline-site.ts';
import type { CallFallback, CallOptions } from '../pipeline/pipeline.ts';

/** Options of a call whose type is not known here. */
export type AnyCallOptions = CallOptions & CallFallback<unknown>;

const noOptions: AnyCallOptions = {};

/** `single`: one attempt and nothing around it. `shared`: the work of several calls, which are counted instead of it. */
export type CallRole = 'single' | 'composed' | 'shared';

/** One call on its way through the pipeline. Times are monotonic milliseconds. */
export class Call {
  readonly startedMs: number;
  /** When its time is over. */
  readonly dueMs: number;
  /** Whether that is its caller's deadline, and not the time of a whole call. */
  readonly dueByCaller: boolean;
  readonly signal: AbortSignal | undefined;
  readonly key: string | undefined;
  readonly idempotent: boolean;
  /** Attempts whose work was begun. */
  attempts = 0;

  constructor(
    private readonly site: PipelineSite,
    readonly options: AnyCallOptions = noOptions,
    private readonly role: CallRole = 'composed',
  ) {
    const { deadline } = options;
    this.startedMs = site.monotonic();
    const { totalMs } = site.settings.timeout;
    const callerMs = deadline === undefined ? totalMs : deadline - site.clock.now();
    this.dueByCaller = callerMs < totalMs;
    this.dueMs = this.startedMs + (this.dueByCaller ? callerMs : totalMs);
    this.signal = options.signal;
    this.key = options.key;
    this.idempotent = options.idempotent === true;
    if (role === 'shared') return;
    site.counters.calls += 1;
    site.counters.active += 1;
  }

  /** Whether the end of its one attempt is its own. */
  get single(): boolean {
    return this.role === 'single';
  }

  /** Whether several calls wait for it. */
  get shared(): boolean {
    return this.role === 'shared';
  }

  /** Milliseconds left. */
  leftMs(): number {
    return this.dueMs - this.site.monotonic();
  }

  /** Whether this error is the caller's own giving up. */
  isAbortedBy(error: unknown): boolean {
    return this.signal?.aborted === true && this.signal.reason === error;
  }

  /** The call, or an attempt of it, was refused. */
  countRejection({ code, retryAfterMs }: RejectedError): void {
    const { counters, events } = this.site;
    counters.rejections[code] += 1;
    if (events.heard) events.emit({ type: 'CallRejected', code, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
  }

  /** The caller has its answer. */
  finish(result: CallResult, error?: unknown): void {
    const { counters, events } = this.site;
    counters.active -= 1;
    counters.results[result] += 1;
    if (events.heard) {
      events.emit({ type: 'CallFinished', result, durationMs: this.site.monotonic() - this.startedMs, attempts: this.attempts, ...(error === undefined ? {} : { error }) });
    }
    this.site.noticeIdle();
  }

  /** How a call ended that ended with this error. */
  resultOf(error: unknown): 'failed' | 'rejected' | 'aborted' {
    if (this.isAbortedBy(error)) return 'aborted';
    // What another pipeline inside this one refused is a failure here.
    return error instanceof RejectedError && error.pipeline === this.site.name ? 'rejected' : 'failed';
  }

  /** The same for a call that ended with this error. */
  finishWith(error: unknown): 'failed' | 'rejected' | 'aborted' {
    const result = this.resultOf(error);
    this.finish(result, error);
    return result;
  }
}
