import type { Clock } from '@millrace/resilience';

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

/** A clock that does not move until the test moves it. */
export class ManualClock implements Clock {
  #now = 1_000_000;
  readonly #timers = new Set<Timer>();

  now(): number {
    return this.#now;
  }

  setTimeout(run: () => void, ms: number): unknown {
    const timer = { at: this.#now + ms, run };
    this.#timers.add(timer);
    return timer;
  }

  clearTimeout(handle: unknown): void {
    this.#timers.delete(handle as Timer);
  }

  /** Timers that have not run. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Lets promises settle, moves on by `ms` milliseconds, runs what becomes due in order, and lets promises settle after each. */
  async advance(ms: number): Promise<void> {
    await promisesSettled();
    const end = this.#now + ms;
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = next.at;
      next.run();
      await promisesSettled();
    }
    this.#now = end;
    await promisesSettled();
  }
}

/** Resolves when every promise that can settle now has settled. */
export async function promisesSettled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
