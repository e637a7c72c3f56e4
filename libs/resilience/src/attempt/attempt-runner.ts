import type { Bulkhead } from '../admission/bulkhead.ts';
import { notAdmitted } from '../breaker/breaker.ts';
import type { OpossumGate } from '../breaker/opossum-gate.ts';
import type { Call } from '../call/call.ts';
import type { Lifecycle } from '../call/lifecycle.ts';
import type { Work } from '../call/work.ts';
import {
  BulkheadFullError,
  BulkheadWaitExceededError,
  CircuitOpenError,
  DeadlineExceededError,
  PipelineClosedError,
  RejectedError,
} from '../errors/errors.ts';
import type { WaitLimits, Waits } from '../time/wait.ts';
import { Attempt, type AttemptDeps } from './attempt.ts';

/** Dependencies of the runner besides those of the attempts that it creates. */
export interface AttemptRunnerDeps {
  /** Present if there is a breaker. */
  readonly gate: OpossumGate | undefined;
  readonly waits: Waits;
  readonly lifecycle: Pick<Lifecycle, 'state'>;
}

/** Passes an attempt through breaker and bulkhead. Without a wait for a permit, everything here is synchronous. */
export class AttemptRunner {
  readonly #attempt: AttemptDeps;
  readonly #deps: AttemptRunnerDeps;

  constructor(attempt: AttemptDeps, deps: AttemptRunnerDeps) {
    this.#attempt = attempt;
    this.#deps = deps;
  }

  /**
   * Settles as the attempt does.
   * @param number Number of the attempt, from 0.
   */
  run(work: Work<unknown>, call: Call, number: number): Promise<unknown> {
    const { breaker, bulkhead, monotonic, name } = this.#attempt;
    // The first attempt starts in the same moment as its call, so it needs no read of the clock.
    const nowMs = number === 0 ? call.startedMs : monotonic();
    const obstacle = this.#findObstacle(call, nowMs);
    if (obstacle !== undefined) return this.#endWithoutWork(call, number, obstacle.error);
    const ticket = breaker === undefined ? 0 : breaker.admit(nowMs);
    if (ticket === notAdmitted) return this.#endWithoutWork(call, number, this.#circuitOpenError(nowMs));
    if (bulkhead === undefined || bulkhead.tryEnter()) return this.#start(work, call, number, ticket, nowMs);
    if (bulkhead.canQueue) return this.#queue(bulkhead, work, call, number, ticket);
    breaker?.discard(ticket);
    return this.#endWithoutWork(call, number, new BulkheadFullError(name));
  }

  #start(work: Work<unknown>, call: Call, number: number, ticket: number, nowMs: number): Promise<unknown> {
    const attempt = new Attempt(this.#attempt, work, call, ticket, nowMs, number);
    const { gate } = this.#deps;
    if (gate !== undefined && this.#attempt.breaker!.usesGate) return gate.fire(attempt);
    return new Promise((fulfil, reject) => {
      attempt.begin().then(fulfil).catch(reject);
    });
  }

  /** Waits for a permit, then checks everything again: if the circuit has opened during the wait, the call is rejected. */
  async #queue(bulkhead: Bulkhead, work: Work<unknown>, call: Call, number: number, ticket: number): Promise<unknown> {
    const { breaker, events, monotonic } = this.#attempt;
    const wait = this.#deps.waits.start(this.#waitLimits(bulkhead, call));
    const waiter = { tryAccept: () => wait.complete() };
    bulkhead.enqueue(waiter);
    events.emit({ type: 'BulkheadQueued', queued: bulkhead.queued });
    try {
      await wait.promise;
    } catch (error) {
      bulkhead.leaveQueue(waiter);
      breaker?.discard(ticket);
      return await this.#endWithoutWork(call, number, error);
    }
    const nowMs = monotonic();
    const obstacle = this.#findObstacle(call, nowMs);
    if (obstacle !== undefined) breaker?.discard(ticket);
    const isOutdated = obstacle === undefined && breaker !== undefined && !breaker.isCurrent(ticket);
    const validTicket = isOutdated ? breaker.admit(nowMs) : ticket;
    if (obstacle === undefined && validTicket !== notAdmitted) return await this.#start(work, call, number, validTicket, nowMs);
    bulkhead.leave();
    return await this.#endWithoutWork(call, number, obstacle?.error ?? this.#circuitOpenError(nowMs));
  }

  #waitLimits({ limits: { queueWaitMsMax } }: Bulkhead, { dueMs, signal }: Call): WaitLimits {
    const { name, monotonic } = this.#attempt;
    const leftMs = dueMs - monotonic();
    return leftMs < queueWaitMsMax
      ? { ms: leftMs, signal, timeoutError: () => new DeadlineExceededError(name) }
      : { ms: queueWaitMsMax, signal, timeoutError: () => new BulkheadWaitExceededError(name) };
  }

  /** Returns the reason why the attempt must not start, wrapped because an abort reason may be undefined. */
  #findObstacle({ signal, dueMs }: Call, nowMs: number): { readonly error: unknown } | undefined {
    if (signal?.aborted === true) return { error: signal.reason };
    const { name } = this.#attempt;
    if (this.#deps.lifecycle.state === 'closed') return { error: new PipelineClosedError(name) };
    return nowMs >= dueMs ? { error: new DeadlineExceededError(name) } : undefined;
  }

  #circuitOpenError(nowMs: number): CircuitOpenError {
    const { name, breaker } = this.#attempt;
    return new CircuitOpenError(name, { retryAfterMs: breaker!.retryAfterMs(nowMs) });
  }

  /** Ends an attempt that never starts its work, because it is rejected or aborted. */
  #endWithoutWork(call: Call, attempt: number, error: unknown): Promise<never> {
    const { events } = this.#attempt;
    if (error instanceof RejectedError) call.countRejection(error);
    if (events.hasListeners) {
      const result = error instanceof RejectedError ? 'rejected' : 'aborted';
      events.emit({ type: 'AttemptFinished', attempt, result, durationMs: 0, slow: false, error });
    }
    if (call.single) call.finishWithError(error);
    return Promise.reject(error);
  }
}
