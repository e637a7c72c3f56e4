import type { Clock } from '../time/clock.ts';

interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** A clock that advances only on request. Its timers run in the order in which they are due. */
export class VirtualClock implements Clock {
  readonly #timers = new Set<Timer>();
  #order = 0;
  /** Difference between the time of day and the monotonic time. */
  #stepMs = 0;

  #nowMs: number;

  constructor(nowMs = 1_000_000) {
    this.#nowMs = nowMs;
  }

  now(): number {
    return this.#nowMs + this.#stepMs;
  }

  monotonic(): number {
    return this.#nowMs;
  }

  setTimeout(run: () => void, ms: number): unknown {
    this.#order += 1;
    const timer: Timer = { atMs: this.#nowMs + Math.max(0, ms), order: this.#order, run };
    this.#timers.add(timer);
    return timer;
  }

  clearTimeout(handle: unknown): void {
    this.#timers.delete(handle as Timer);
  }

  /** Number of pending timers. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Steps the time of day, like an operator or a time server. */
  stepTimeOfDay(ms: number): void {
    this.#stepMs += ms;
  }

  /** Advances the time. All promise callbacks of a timer run before the next timer. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    await settled();
    for (let next = this.#next(); next !== undefined && next.atMs <= untilMs; next = this.#next()) {
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      this.#timers.delete(next);
      next.run();
      await settled();
    }
    this.#nowMs = untilMs;
  }

  #next(): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (first === undefined || timer.atMs < first.atMs || (timer.atMs === first.atMs && timer.order < first.order)) first = timer;
    }
    return first;
  }
}

/** Waits until all pending promise callbacks have run. */
export async function settled(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
}
