import type { AuditReport } from '@millrace/lake';
import { LakeError } from '@millrace/lake';
import type { Clock } from '@millrace/resilience';
import { ProblemError } from '@millrace/runtime';

/** Audits a table once. */
export type RunAudit = (signal: AbortSignal) => Promise<AuditReport>;

/** Receives the outcome of each audit. */
export interface AuditObserver {
  finished(report: AuditReport): void;
  /** Not called when another audit is running, because no audit started. */
  failed(reason: 'timeout' | 'unavailable' | 'aborted' | 'error', error: unknown): void;
}

/** Limits of an audit. */
export interface AuditLimits {
  /** Maximum duration of one audit in milliseconds. */
  readonly runMsMax: number;
}

/** Runs one audit at a time: each reads the ledger of the whole table and shares the S3 pipeline with the lanes. */
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
   * @param signal aborts the audit when the caller disconnects
   * @throws ProblemError `overloaded` while another audit runs, `deadline-exceeded` when it takes too long, `unavailable` when S3 or
   * Glue does not answer
   */
  async audit(signal?: AbortSignal): Promise<AuditReport> {
    if (this.#closed) throw new ProblemError('unavailable', { detail: 'The service is stopping.' });
    if (this.#running !== undefined)
      throw new ProblemError('overloaded', { detail: 'Another audit is running, and only one may run at a time.', retryAfterSeconds: 5 });
    signal?.throwIfAborted();
    const running = new AbortController();
    this.#running = running;
    let timedOut = false;
    const timer = this.#clock.setTimeout(() => {
      timedOut = true;
      running.abort(
        new ProblemError('deadline-exceeded', {
          detail: `The audit did not finish within ${this.#limits.runMsMax / 1000} s (SINK_AUDIT_RUN_SECONDS_MAX). ./millrace audit has no such limit.`,
        }),
      );
    }, this.#limits.runMsMax);
    const abort = (): void => running.abort(signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    try {
      const report = await this.#run(running.signal);
      this.#observer.finished(report);
      return report;
    } catch (error) {
      this.#observer.failed(
        timedOut ? 'timeout' : running.signal.aborted ? 'aborted' : error instanceof LakeError ? 'unavailable' : 'error',
        error,
      );
      running.signal.throwIfAborted();
      throw error instanceof LakeError
        ? new ProblemError('unavailable', {
            detail: `The audit failed: ${error.key === undefined ? 'the catalog' : 'S3'} does not answer.`,
            retryAfterSeconds: 5,
            cause: error,
          })
        : error;
    } finally {
      this.#clock.clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      this.#running = undefined;
    }
  }

  /** Aborts the running audit and starts no more. */
  close(): void {
    this.#closed = true;
    this.#running?.abort(new ProblemError('unavailable', { detail: 'The service is stopping.' }));
  }
}
