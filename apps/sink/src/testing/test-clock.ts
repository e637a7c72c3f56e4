import type { Clock } from '@millrace/resilience';

/** A clock that the test moves, and whose timers run when the test runs them. */
export class TestClock implements Clock {
  readonly waiting: { readonly run: () => void; readonly ms: number }[] = [];

  #now = 0;

  now(): number {
    return this.#now;
  }

  /** Lets time pass. Timers run only by {@link ring}. */
  advance(ms: number): void {
    this.#now += ms;
  }

  setTimeout(run: () => void, ms: number): unknown {
    const one = { run, ms };
    this.waiting.push(one);
    return one;
  }

  clearTimeout(handle: unknown): void {
    const at = this.waiting.indexOf(handle as { run: () => void; ms: number });
    if (at >= 0) this.waiting.splice(at, 1);
  }

  /** Runs the timer that was set first. */
  ring(): void {
    this.waiting.shift()!.run();
  }
}
