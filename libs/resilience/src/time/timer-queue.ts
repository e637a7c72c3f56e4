import type { Clock } from './clock.ts';

/** An object with a time limit. {@link TimerQueue} owns the three `timer…` fields. */
export interface Timed {
  /** Called when the time is over: at most once, and never after {@link TimerQueue.remove}. */
  onTimeout(): void;
  timerDueMs: number;
  timerNext: Timed | undefined;
  timerPrevious: Timed | undefined;
}

/** Longest timer that the queue sets, in milliseconds. An idle queue releases its timer, and with it the process, after this time. */
const timerSliceMs = 1000;

/**
 * Time limits of one common length. The first entry is always due first, so one timer of the clock serves all entries.
 * Adding and removing an entry cost a few assignments.
 */
export class TimerQueue {
  readonly #clock: Clock;
  readonly #monotonic: () => number;
  #first: Timed | undefined;
  #last: Timed | undefined;
  #handle: unknown;

  constructor(
    /** Length of each limit in milliseconds. */
    readonly limitMs: number,
    clock: Clock,
    monotonic: () => number,
  ) {
    this.#clock = clock;
    this.#monotonic = monotonic;
  }

  /** Starts the limit of one object now. */
  add(timed: Timed, nowMs: number): void {
    timed.timerDueMs = nowMs + this.limitMs;
    timed.timerPrevious = this.#last;
    if (this.#last === undefined) this.#first = timed;
    else this.#last.timerNext = timed;
    this.#last = timed;
    if (this.#handle === undefined) this.#startTimer(this.limitMs);
  }

  /** Cancels the limit of an object that is in the queue. */
  remove(timed: Timed): void {
    const { timerPrevious: previous, timerNext: next } = timed;
    if (previous === undefined) this.#first = next;
    else previous.timerNext = next;
    if (next === undefined) this.#last = previous;
    else next.timerPrevious = previous;
    timed.timerPrevious = undefined;
    timed.timerNext = undefined;
  }

  /** Clears the timer if the queue is empty. */
  release(): void {
    if (this.#first !== undefined || this.#handle === undefined) return;
    this.#clock.clearTimeout(this.#handle);
    this.#handle = undefined;
  }

  #startTimer(ms: number): void {
    this.#handle = this.#clock.setTimeout(this.#expireDue, Math.min(ms, timerSliceMs));
  }

  readonly #expireDue = (): void => {
    this.#handle = undefined;
    const nowMs = this.#monotonic();
    while (this.#first !== undefined && this.#first.timerDueMs <= nowMs) {
      const due = this.#first;
      this.remove(due);
      due.onTimeout();
    }
    if (this.#first !== undefined && this.#handle === undefined) this.#startTimer(this.#first.timerDueMs - nowMs);
  };
}
