import type { Bulkhead } from '../admission/bulkhead.ts';
import type { Breaker } from '../breaker/breaker.ts';
import type { GatedCall, GateThenable } from '../breaker/opossum-gate.ts';
import type { Call } from '../call/call.ts';
import type { Lifecycle } from '../call/lifecycle.ts';
import type { Work } from '../call/work.ts';
import type { ErrorClass } from '../errors/error-class.ts';
import { AttemptTimeoutError } from '../errors/errors.ts';
import type { Counters } from '../telemetry/counters.ts';
import type { EventHub } from '../telemetry/event-hub.ts';
import type { AttemptResult } from '../telemetry/pipeline-event.ts';
import type { AbortFanOut, AbortHub, Abortable } from '../time/abort-fan-out.ts';
import type { Clock } from '../time/clock.ts';
import type { Timed, TimerQueue } from '../time/timer-queue.ts';
import { AttemptScope } from './attempt-scope.ts';
import type { Chaos } from './chaos.ts';

type Settle = (value: unknown) => void;

/** Owner of the time limit that holds for an attempt: the attempt itself, the whole call, or its caller's deadline. */
type LimitOwner = 'attempt' | 'call' | 'caller';

/** Dependencies of an attempt. */
export interface AttemptDeps {
  /** Name of the pipeline. */
  readonly name: string;
  readonly clock: Clock;
  readonly monotonic: () => number;
  readonly fanOut: AbortFanOut;
  /** Time limits with the attempt timeout in force. A change of the timeout replaces the queue. */
  timers: TimerQueue;
  readonly breaker: Breaker | undefined;
  readonly bulkhead: Bulkhead | undefined;
  readonly chaos: Chaos | undefined;
  readonly classify: (error: unknown) => ErrorClass;
  readonly counters: Counters;
  readonly events: EventHub;
  readonly lifecycle: Pick<Lifecycle, 'noticeIdle'>;
}

/**
 * One attempt that starts its work. It holds a ticket of the breaker and a permit of the bulkhead. The work, the time limit or the
 * caller settles it, once. The breaker records the result before the caller gets it. The attempt returns its permit when the work
 * has ended, which may be much later.
 *
 * It is its own list entry in {@link TimerQueue} and {@link AbortFanOut}, and its own thenable for the gate. Separate objects would
 * make every call more expensive.
 */
export class Attempt implements GatedCall, GateThenable, Timed, Abortable {
  timerDueMs = 0;
  timerNext: Timed | undefined = undefined;
  timerPrevious: Timed | undefined = undefined;
  abortHub: AbortHub | undefined = undefined;
  abortNext: Abortable | undefined = undefined;
  abortPrevious: Abortable | undefined = undefined;
  readonly #deps: AttemptDeps;
  readonly #work: Work<unknown>;
  readonly #call: Call;
  readonly #ticket: number;
  readonly #startedMs: number;
  readonly #scope: AttemptScope;
  readonly #limitMs: number;
  #limitOwner: LimitOwner;
  #timers: TimerQueue | undefined = undefined;
  #timerHandle: unknown = undefined;
  #settledMs: number | undefined = undefined;
  #fulfil: Settle | undefined = undefined;
  #reject: Settle | undefined = undefined;
  /** Set when the attempt is abandoned before {@link catch} is called: the work itself may abort the caller's signal. */
  #earlyRejection: { readonly error: unknown } | undefined = undefined;

  /** @param startedMs Monotonic milliseconds. */
  constructor(deps: AttemptDeps, work: Work<unknown>, call: Call, ticket: number, startedMs: number, number: number) {
    this.#deps = deps;
    this.#work = work;
    this.#call = call;
    this.#ticket = ticket;
    this.#startedMs = startedMs;
    const { limitMs } = deps.timers;
    const leftMs = call.dueMs - startedMs;
    this.#limitOwner = leftMs >= limitMs ? 'attempt' : call.dueByCaller ? 'caller' : 'call';
    this.#limitMs = this.#limitOwner === 'attempt' ? limitMs : leftMs;
    this.#scope = new AttemptScope(number, startedMs + this.#limitMs, deps.clock, deps.monotonic);
  }

  begin(): GateThenable {
    const { counters, fanOut, chaos } = this.#deps;
    const call = this.#call;
    counters.attempts += 1;
    counters.inFlight += 1;
    call.attempts += 1;
    this.#startTimer();
    if (call.signal !== undefined) fanOut.link(this, call.signal);
    let answer: unknown;
    try {
      const work = this.#work;
      answer = chaos === undefined ? work(this.#scope) : chaos.run(work, this.#scope, call.key);
    } catch (error) {
      answer = Promise.reject(error);
    }
    void Promise.resolve(answer).then(this.#onWorkSucceeded, this.#onWorkFailed);
    return this;
  }

  // oxlint-disable-next-line unicorn/no-thenable -- opossum needs a thenable, see GateThenable
  then(fulfil: Settle): this {
    this.#fulfil = fulfil;
    return this;
  }

  catch(reject: Settle): this {
    this.#reject = reject;
    if (this.#earlyRejection !== undefined) reject(this.#earlyRejection.error);
    return this;
  }

  onTimeout(): void {
    this.#timers = undefined;
    const { counters, name } = this.#deps;
    counters.timeouts += 1;
    this.#abandon('timed-out', new AttemptTimeoutError(name, Math.round(this.#limitMs)));
  }

  onAbort(reason: unknown): void {
    if (!this.#call.shared || !(reason instanceof AttemptTimeoutError)) {
      this.#abandon('aborted', reason);
      return;
    }
    // Every caller of the shared work ran out of time, see Coalescer. Record a timeout, not an abort: otherwise the breaker would
    // never detect a dependency that hangs.
    this.#limitOwner = 'caller';
    this.#deps.counters.timeouts += 1;
    this.#abandon('timed-out', reason);
  }

  readonly #onWorkSucceeded = (value: unknown): void => {
    if (this.#settledMs !== undefined) {
      this.#endZombie(this.#settledMs);
      return;
    }
    this.#settle('succeeded', undefined);
    this.#leave();
    this.#fulfil!(value);
  };

  readonly #onWorkFailed = (error: unknown): void => {
    if (this.#settledMs !== undefined) {
      this.#endZombie(this.#settledMs);
      return;
    }
    this.#settle('failed', error);
    this.#leave();
    this.#reject!(error);
  };

  /** Settles the attempt while its work still runs. */
  #abandon(result: 'timed-out' | 'aborted', error: unknown): void {
    this.#settle(result, error);
    this.#scope.abort(error);
    if (this.#reject === undefined) this.#earlyRejection = { error };
    else this.#reject(error);
  }

  #startTimer(): void {
    const { clock, timers } = this.#deps;
    if (this.#limitOwner !== 'attempt') this.#timerHandle = clock.setTimeout(() => this.onTimeout(), this.#limitMs);
    else {
      this.#timers = timers;
      timers.add(this, this.#startedMs);
    }
  }

  #stopTimer(): void {
    if (this.#timers === undefined) this.#deps.clock.clearTimeout(this.#timerHandle);
    else this.#timers.remove(this);
  }

  #settle(result: Exclude<AttemptResult, 'rejected'>, error: unknown): void {
    const { monotonic, fanOut, classify, breaker, counters, events } = this.#deps;
    const call = this.#call;
    const nowMs = monotonic();
    this.#settledMs = nowMs;
    this.#stopTimer();
    fanOut.unlink(this);
    const errorClass = result === 'failed' ? classify(error) : undefined;
    const durationMs = nowMs - this.#startedMs;
    const slow = breaker !== undefined && durationMs > breaker.slowCallMs;
    if (breaker !== undefined) this.#recordIn(breaker, result, errorClass, slow, nowMs);
    if (result === 'timed-out' || result === 'aborted') {
      counters.zombies += 1;
      events.emit({ type: 'WorkAbandoned', zombies: counters.zombies });
    }
    if (events.hasListeners) {
      const details = { ...(errorClass === undefined ? {} : { errorClass }), ...(result === 'succeeded' ? {} : { error }) };
      events.emit({ type: 'AttemptFinished', attempt: this.#scope.attempt, result, durationMs, slow, ...details });
    }
    if (!call.single) return;
    if (result === 'succeeded') call.finish(result);
    else call.finishWithError(error);
  }

  #recordIn(breaker: Breaker, result: AttemptResult, errorClass: ErrorClass | undefined, slow: boolean, nowMs: number): void {
    if (result === 'succeeded') breaker.record(this.#ticket, false, slow, nowMs);
    else if (result === 'aborted' || errorClass === 'invalid' || errorClass === 'rejected') breaker.discard(this.#ticket);
    else if (result === 'failed' || this.#limitOwner === 'attempt') breaker.record(this.#ticket, true, slow, nowMs);
    else if (!slow) breaker.discard(this.#ticket);
    else if (this.#limitOwner === 'caller') breaker.recordSlowWithoutAnswer(this.#ticket, nowMs);
    else breaker.record(this.#ticket, true, true, nowMs);
  }

  #endZombie(settledMs: number): void {
    const { counters, events, monotonic } = this.#deps;
    counters.zombies -= 1;
    events.emit({ type: 'ZombieEnded', lateMs: monotonic() - settledMs, zombies: counters.zombies });
    this.#leave();
  }

  /** The work has ended: returns the permit. */
  #leave(): void {
    const { counters, bulkhead, lifecycle } = this.#deps;
    counters.inFlight -= 1;
    bulkhead?.leave();
    lifecycle.noticeIdle();
  }
}
