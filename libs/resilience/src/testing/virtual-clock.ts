import type { Clock } from '../time/clock.ts';

interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** A clock that stands still until it is told to go on. Its timers run in the order in which they are due. */
export class VirtualClock implements Clock {
  private readonly timers = new Set<Timer>();
  private order = 0;
  /** By how much the time of day is off the count that never steps back. */
  private stepMs = 0;

  constructor(private nowMs = 1_000_000) {}

  now(): number {
    return this.nowMs + this.stepMs;
  }

  monotonic(): number {
    return this.nowMs;
  }

  setTimeout(run: () => void, ms: number): unknown {
    this.order += 1;
    const timer: Timer = { atMs: this.nowMs + Math.max(0, ms), order: this.order, run };
    this.timers.add(timer);
    return timer;
  }

  clearTimeout(handle: unknown): void {
    this.timers.delete(handle as Timer);
  }

  /** How many timers are set. */
  get pending(): number {
    return this.timers.size;
  }

  /** Sets the time of day, as an operator or a time server may. */
  stepTimeOfDay(ms: number): void {
    this.stepMs += ms;
  }

  /** Lets time pass; everything that the timers set in motion comes to rest before the next one. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.nowMs + ms;
    await settled();
    for (let next = this.next(); next !== undefined && next.atMs <= untilMs; next = this.next()) {
      this.nowMs = Math.max(this.nowMs, next.atMs);
      this.timers.delete(next);
      next.run();
      await settled();
    }
    this.nowMs = untilMs;
  }

  private next(): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.timers) {
      if (first === undefined || timer.atMs < first.atMs || (timer.atMs === first.atMs && timer.order < first.order)) first = timer;
    }
    return first;
  }
}

/** Lets every promise that can go on go on. */
export async function settled(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
}
