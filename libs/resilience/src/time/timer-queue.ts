import type { Clock } from './clock.ts';

/** Something with a time limit. The queue owns the three fields. */
export interface Timed {
  /** Its time is over. Called at most once, not after {@link TimerQueue.remove}. */
  timeUp(): void;
  timerDueMs: number;
  timerNext: Timed | undefined;
  timerPrevious: Timed | undefined;
}

/** Longest time for which the clock is asked at once: an idle queue lets go of its timer, and of the process, after it. */
const sliceMs = 1000;

/** Time limits of one length. What comes in first is due first, so one timer of the clock serves all, and adding and removing cost a few assignments. */
export class TimerQueue {
  private first: Timed | undefined;
  private last: Timed | undefined;
  private handle: unknown;

  constructor(
    /** Length of the limits in milliseconds. */
    readonly limitMs: number,
    private readonly clock: Clock,
    private readonly monotonic: () => number,
  ) {}

  /** Starts a limit now. */
  add(timed: Timed, nowMs: number): void {
    timed.timerDueMs = nowMs + this.limitMs;
    timed.timerPrevious = this.last;
    if (this.last === undefined) this.first = timed;
    else this.last.timerNext = timed;
    this.last = timed;
    if (this.handle === undefined) this.arm(this.limitMs);
  }

  /** Ends a limit that is in the queue. */
  remove(timed: Timed): void {
    const { timerPrevious: previous, timerNext: next } = timed;
    if (previous === undefined) this.first = next;
    else previous.timerNext = next;
    if (next === undefined) this.last = previous;
    else next.timerPrevious = previous;
    timed.timerPrevious = undefined;
    timed.timerNext = undefined;
  }

  /** Lets go of the clock if nothing is limited now. */
  release(): void {
    if (this.first !== undefined || this.handle === undefined) return;
    this.clock.clearTimeout(this.handle);
    this.handle = undefined;
  }

  private arm(ms: number): void {
    this.handle = this.clock.setTimeout(this.turn, Math.min(ms, sliceMs));
  }

  private readonly turn = (): void => {
    this.handle = undefined;
    const nowMs = this.monotonic();
    while (this.first !== undefined && this.first.timerDueMs <= nowMs) {
      const due = this.first;
      this.remove(due);
      due.timeUp();
    }
    if (this.first !== undefined && this.handle === undefined) this.arm(this.first.timerDueMs - nowMs);
  };
}
