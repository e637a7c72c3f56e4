import { Attempt } from './attempt.ts';
import { refused } from '../breaker/breaker.ts';
import type { Bulkhead } from '../admission/bulkhead.ts';
import type { Call } from '../call/call.ts';
import { BulkheadFullError, BulkheadWaitExceededError, CircuitOpenError, DeadlineExceededError, PipelineClosedError, RejectedError } from '../errors/errors.ts';
import type { PipelineSite } from '../pipeline/pipeline-site.ts';
import type { Work } from '../pipeline/pipeline.ts';
import type { WaitLimits } from '../time/wait.ts';

/** Leads one attempt past breaker and bulkhead. Nothing here is asynchronous unless the call has to wait for its turn. */
export class AttemptRunner {
  constructor(private readonly site: PipelineSite) {}

  /**
   * Settles as the attempt does.
   * @param number Number of the attempt, from 0.
   */
  run(work: Work<unknown>, call: Call, number: number): Promise<unknown> {
    const { breaker, bulkhead, monotonic, name } = this.site;
    // A call's first attempt follows its start at once.
    const nowMs = number === 0 ? call.startedMs : monotonic();
    const obstacle = this.obstacle(call, nowMs);
    if (obstacle !== undefined) return this.end(call, number, obstacle.error);
    const ticket = breaker === undefined ? 0 : breaker.admit(nowMs);
    if (ticket === refused) return this.end(call, number, this.circuitOpen(nowMs));
    if (bulkhead === undefined || bulkhead.tryEnter()) return this.start(work, call, number, ticket, nowMs);
    if (bulkhead.canQueue) return this.queue(bulkhead, work, call, number, ticket);
    breaker?.forget(ticket);
    return this.end(call, number, new BulkheadFullError(name));
  }

  private start(work: Work<unknown>, call: Call, number: number, ticket: number, nowMs: number): Promise<unknown> {
    const { site } = this;
    const attempt = new Attempt(site, work, call, ticket, nowMs, number);
    if (site.gate !== undefined && site.breaker!.gated) return site.gate.fire(attempt);
    return new Promise((fulfil, reject) => {
      attempt.begin().then(fulfil).catch(reject);
    });
  }

  /** Waits for a permit, then goes on with what is true by then: a circuit that opened meanwhile refuses the call after all. */
  private async queue(bulkhead: Bulkhead, work: Work<unknown>, call: Call, number: number, ticket: number): Promise<unknown> {
    const { breaker, events, monotonic, waits } = this.site;
    const wait = waits.begin(this.turnLimits(bulkhead, call));
    const waiter = { admitted: () => wait.end() };
    bulkhead.queue(waiter);
    events.emit({ type: 'BulkheadQueued', queued: bulkhead.queued });
    try {
      await wait.promise;
    } catch (error) {
      bulkhead.leaveQueue(waiter);
      breaker?.forget(ticket);
      return await this.end(call, number, error);
    }
    const nowMs = monotonic();
    const obstacle = this.obstacle(call, nowMs);
    if (obstacle !== undefined) breaker?.forget(ticket);
    const valid = obstacle === undefined && breaker !== undefined && !breaker.isCurrent(ticket) ? breaker.admit(nowMs) : ticket;
    if (obstacle === undefined && valid !== refused) return await this.start(work, call, number, valid, nowMs);
    bulkhead.leave();
    return await this.end(call, number, obstacle?.error ?? this.circuitOpen(nowMs));
  }

  private turnLimits({ limits: { queueWaitMsMax } }: Bulkhead, { dueMs, signal }: Call): WaitLimits {
    const { name, monotonic } = this.site;
    const leftMs = dueMs - monotonic();
    return leftMs < queueWaitMsMax
      ? { ms: leftMs, signal, late: () => new DeadlineExceededError(name) }
      : { ms: queueWaitMsMax, signal, late: () => new BulkheadWaitExceededError(name) };
  }

  private obstacle({ signal, dueMs }: Call, nowMs: number): { readonly error: unknown } | undefined {
    if (signal?.aborted === true) return { error: signal.reason };
    if (this.site.state === 'closed') return { error: new PipelineClosedError(this.site.name) };
    return nowMs >= dueMs ? { error: new DeadlineExceededError(this.site.name) } : undefined;
  }

  private circuitOpen(nowMs: number): CircuitOpenError {
    return new CircuitOpenError(this.site.name, { retryAfterMs: this.site.breaker!.retryAfterMs(nowMs) });
  }

  /** The attempt ends before its work has begun: refused, or given up by its caller. */
  private end(call: Call, attempt: number, error: unknown): Promise<never> {
    const { events } = this.site;
    if (error instanceof RejectedError) call.countRejection(error);
    if (events.heard) {
      const result = error instanceof RejectedError ? 'rejected' : 'aborted';
      events.emit({ type: 'AttemptFinished', attempt, result, durationMs: 0, slow: false, error });
    }
    if (call.single) call.finishWith(error);
    return Promise.reject(error);
  }
}
