import type { AuditReport } from '@millrace/lake';
import { LakeError } from '@millrace/lake';
import type { Clock } from '@millrace/resilience';
import { ProblemError } from '@millrace/runtime';

/** Audits a table once. */
export type RunAudit = (signal: AbortSignal) => Promise<AuditReport>;

/** Told how audits end. */
export interface AuditObserver {
  finished(report: AuditReport): void;
  /** `busy` is not told: nothing was begun. */
  failed(reason: 'timeout' | 'unavailable' | 'aborted' | 'error', error: unknown): void;
}

/** Limits of an audit. */
export interface AuditLimits {
  /** Time one audit may take, in milliseconds. */
  readonly runMsMax: number;
}

/** Audits one at a time: each reads the ledger of the whole table, and shares its calls to S3 with what lands. */
export class AuditRuns {
  readonly #run: RunAudit;
  readonly #limits: AuditLimits;
  readonly #observer: AuditObserver;
  readonly #clock: Clock;
  #running: AbortController | undefined;
  #closed = false;

  constructor(run: RunAudit, limits: AuditLimits, observer: AuditObserver, clock: Clock) {
    this.#run = run;
    this.#limits = limits;
    this.#observer = observer;
    this.#clock = clock;
  }

  /**
   * Audits now.
   *
   * @param signal aborts it: the caller went away
   * @throws ProblemError `overloaded` while another audit runs, `deadline-exceeded` when it takes too long, `unavailable` when S3 or Glue does not answer
   */
  async audit(signal?: AbortSignal): Promise<AuditReport> {
    if (this.#closed) throw new ProblemError('unavailable', { detail: 'The service is stopping.' });
    if (this.#running !== undefined) throw new ProblemError('overloaded', { detail: 'An audit runs already, and one at a time is as many as there may be.', retryAfterSeconds: 5 });
    signal?.throwIfAborted();
    const running = new AbortController();
    this.#running = running;
    let timedOut = false;
    const timer = this.#clock.setTimeout(() => {
      timedOut = true;
      running.abort(new ProblemError('deadline-exceeded', { detail: `The audit was not done after ${this.#limits.runMsMax / 1000} s (SINK_AUDIT_RUN_SECONDS_MAX). ./millrace audit has no such limit.` }));
    }, this.#limits.runMsMax);
    const abort = (): void => running.abort(signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    try {
      const report = await this.#run(running.signal);
      this.#observer.finished(report);
      return report;
    } catch (error) {
      this.#observer.failed(timedOut ? 'timeout' : running.signal.aborted ? 'aborted' : error instanceof LakeError ? 'unavailable' : 'error', error);
      running.signal.throwIfAborted();
      throw error instanceof LakeError ? new ProblemError('unavailable', { detail: `The audit could not be done: ${error.key === undefined ? 'the catalog' : 'S3'} does not answer.`, retryAfterSeconds: 5, cause: error }) : error;
    } finally {
      this.#clock.clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      this.#running = undefined;
    }
  }

  /** Ends what runs, and begins nothing more. */
  close(): void {
    this.#closed = true;
    this.#running?.abort(new ProblemError('unavailable', { detail: 'The service is stopping.' }));
  }
}
