import type { Clock } from '@millrace/resilience';

/** A call with a deadline. */
export interface DueCall {
  /** Epoch milliseconds. */
  readonly deadline: number;
  /** Ends the open part of the call. */
  expire(): void;
}

/**
 * Ends calls at their deadlines with one timer. Almost every call ends long before its deadline, so a timer for each would only cost. The
 * timer waits for the earliest deadline it knew when it was set; then it checks all open calls.
 */
export class CallDeadlines {
  readonly #clock: Clock;
  readonly #open = new Set<DueCall>();
  #timer: unknown;
  #timerDue = Number.POSITIVE_INFINITY;
  #isStopped = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(call: DueCall): void {
    this.#open.add(call);
    if (call.deadline < this.#timerDue) this.#setTimer(call.deadline);
  }

  /** The call has ended by itself. */
  remove(call: DueCall): void {
    this.#open.delete(call);
    // No timer without a call: it would keep the process alive.
    if (this.#open.size === 0 && this.#isStopped) this.#clearTimer();
  }

  /** Clears the timer with the last open call. */
  stop(): void {
    this.#isStopped = true;
    if (this.#open.size === 0) this.#clearTimer();
  }

  #setTimer(due: number): void {
    this.#clearTimer();
    this.#timerDue = due;
    this.#timer = this.#clock.setTimeout(() => this.#look(), Math.max(0, due - this.#clock.now()));
  }

  #clearTimer(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timerDue = Number.POSITIVE_INFINITY;
  }

  #look(): void {
    this.#timerDue = Number.POSITIVE_INFINITY;
    const now = this.#clock.now();
    let next = Number.POSITIVE_INFINITY;
    for (const call of this.#open) {
      if (call.deadline <= now) call.expire();
      else next = Math.min(next, call.deadline);
    }
    if (next < this.#timerDue) this.#setTimer(next);
  }
}
