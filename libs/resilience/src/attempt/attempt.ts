import type { AbortHub, Abortable } from '../time/abort-fan-out.ts';
import { AttemptScope } from './attempt-scope.ts';
import type { Call } from '../call/call.ts';
import type { ErrorClass } from '../errors/error-class.ts';
import { AttemptTimeoutError } from '../errors/errors.ts';
import type { AttemptResult } from '../telemetry/pipeline-event.ts';
import type { GatedCall, Settling } from '../breaker/opossum-gate.ts';
import type { PipelineSite } from '../pipeline/pipeline-site.ts';
import type { Work } from '../pipeline/pipeline.ts';
import type { Timed, TimerQueue } from '../time/timer-queue.ts';

type Settle = (value: unknown) => void;

/** Whose limit ends an attempt in time: its own, the whole call's, or its caller's deadline. */
type Limit = 'attempt' | 'call' | 'caller';

/**
 * One attempt whose work is begun: with a ticket of the breaker and a permit of the bulkhead. It is settled once, by the work, its time or its caller; the vote
 * is cast before anybody hears of it. The permit goes back when the work has ended, which may be much later.
 *
 * It is its own list entry in the queue of timers and in the fan-out of the signal, and its own thenable for the gate: everything here is paid on each call.
 */
export class Attempt implements GatedCall, Settling, Timed, Abortable {
  timerDueMs = 0;
  timerNext: Timed | undefined = undefined;
  timerPrevious: Timed | undefined = undefined;
  abortHub: AbortHub | undefined = undefined;
  abortNext: Abortable | undefined = undefined;
  abortPrevious: Abortable | undefined = undefined;
  private readonly scope: AttemptScope;
  private readonly limitMs: number;
  private limitedBy: Limit;
  private timers: TimerQueue | undefined = undefined;
  private timerHandle: unknown = undefined;
  private settledMs: number | undefined = undefined;
  private fulfil: Settle | undefined = undefined;
  private reject: Settle | undefined = undefined;
  /** Set when the work itself made its caller give up, before anybody could hear of it. */
  private givenUp: { readonly error: unknown } | undefined = undefined;

  /** @param startedMs Monotonic milliseconds. */
  constructor(
    private readonly site: PipelineSite,
    private readonly work: Work<unknown>,
    private readonly call: Call,
    private readonly ticket: number,
    private readonly startedMs: number,
    number: number,
  ) {
    const { limitMs } = site.attemptTimers;
    const leftMs = call.dueMs - startedMs;
    this.limitedBy = leftMs >= limitMs ? 'attempt' : call.dueByCaller ? 'caller' : 'call';
    this.limitMs = this.limitedBy === 'attempt' ? limitMs : leftMs;
    this.scope = new AttemptScope(number, startedMs + this.limitMs, site.clock, site.monotonic);
  }

  begin(): Settling {
    const { site, call } = this;
    site.counters.attempts += 1;
    site.counters.inFlight += 1;
    call.attempts += 1;
    this.limit();
    if (call.signal !== undefined) site.fanOut.link(this, call.signal);
    let answer: unknown;
    try {
      answer = site.chaos === undefined ? this.work(this.scope) : site.chaos.run(site.settings.chaos.rules, this.work, this.scope, call.key);
    } catch (error) {
      answer = Promise.reject(error);
    }
    void Promise.resolve(answer).then(this.workSucceeded, this.workFailed);
    return this;
  }

  // oxlint-disable-next-line unicorn/no-thenable -- what opossum asks of an action's answer, see Settling
  then(fulfil: Settle): this {
    this.fulfil = fulfil;
    return this;
  }

  catch(reject: Settle): this {
    this.reject = reject;
    if (this.givenUp !== undefined) reject(this.givenUp.error);
    return this;
  }

  timeUp(): void {
    this.timers = undefined;
    const { site } = this;
    site.counters.timeouts += 1;
    const error = new AttemptTimeoutError(site.name, Math.round(this.limitMs));
    this.giveUp('timed-out', error);
  }

  aborted(reason: unknown): void {
    if (!this.call.shared || !(reason instanceof AttemptTimeoutError)) {
      this.giveUp('aborted', reason);
      return;
    }
    // Nobody who waits for the shared work has time left, see Flights. That is no change of mind: a dependency that hangs would never be found out.
    this.limitedBy = 'caller';
    this.site.counters.timeouts += 1;
    this.giveUp('timed-out', reason);
  }

  private readonly workSucceeded = (value: unknown): void => {
    if (this.settledMs !== undefined) {
      this.zombieEnded(this.settledMs);
      return;
    }
    this.settle('succeeded', undefined);
    this.leave();
    this.fulfil!(value);
  };

  private readonly workFailed = (error: unknown): void => {
    if (this.settledMs !== undefined) {
      this.zombieEnded(this.settledMs);
      return;
    }
    this.settle('failed', error);
    this.leave();
    this.reject!(error);
  };

  /** Its time or its caller's patience is over; the work may go on. */
  private giveUp(result: 'timed-out' | 'aborted', error: unknown): void {
    this.settle(result, error);
    this.scope.abort(error);
    if (this.reject === undefined) this.givenUp = { error };
    else this.reject(error);
  }

  private limit(): void {
    if (this.limitedBy !== 'attempt') this.timerHandle = this.site.clock.setTimeout(() => this.timeUp(), this.limitMs);
    else {
      this.timers = this.site.attemptTimers;
      this.timers.add(this, this.startedMs);
    }
  }

  private unlimit(): void {
    if (this.timers === undefined) this.site.clock.clearTimeout(this.timerHandle);
    else this.timers.remove(this);
  }

  private settle(result: Exclude<AttemptResult, 'rejected'>, error: unknown): void {
    const { site, call } = this;
    const nowMs = site.monotonic();
    this.settledMs = nowMs;
    this.unlimit();
    site.fanOut.unlink(this);
    const errorClass = result === 'failed' ? site.classify(error) : undefined;
    const slow = site.breaker !== undefined && nowMs - this.startedMs > site.breaker.slowMs;
    this.vote(result, errorClass, slow, nowMs);
    if (result === 'timed-out' || result === 'aborted') {
      site.counters.zombies += 1;
      site.events.emit({ type: 'WorkAbandoned', zombies: site.counters.zombies });
    }
    if (site.events.heard) {
      const details = { ...(errorClass === undefined ? {} : { errorClass }), ...(result === 'succeeded' ? {} : { error }) };
      site.events.emit({ type: 'AttemptFinished', attempt: this.scope.attempt, result, durationMs: nowMs - this.startedMs, slow, ...details });
    }
    if (!call.single) return;
    if (result === 'succeeded') call.finish(result);
    else call.finishWith(error);
  }

  private vote(result: AttemptResult, errorClass: ErrorClass | undefined, slow: boolean, nowMs: number): void {
    const { breaker } = this.site;
    if (breaker === undefined) return;
    if (result === 'succeeded') breaker.count(this.ticket, false, slow, nowMs);
    else if (result === 'aborted' || errorClass === 'invalid' || errorClass === 'refused') breaker.forget(this.ticket);
    else if (result === 'failed' || this.limitedBy === 'attempt') breaker.count(this.ticket, true, slow, nowMs);
    else if (!slow) breaker.forget(this.ticket);
    else if (this.limitedBy === 'caller') breaker.countUnanswered(this.ticket, nowMs);
    else breaker.count(this.ticket, true, true, nowMs);
  }

  private zombieEnded(settledMs: number): void {
    const { counters, events, monotonic } = this.site;
    counters.zombies -= 1;
    events.emit({ type: 'ZombieEnded', lateMs: monotonic() - settledMs, zombies: counters.zombies });
    this.leave();
  }

  /** The work has ended. */
  private leave(): void {
    this.site.counters.inFlight -= 1;
    this.site.bulkhead?.leave();
    this.site.noticeIdle();
  }
}
