import type { Clock } from '@millrace/resilience';

/** A stopped clock, whose timers run when the test runs them. */
export class TestClock implements Clock {
  readonly waiting: { readonly run: () => void; readonly ms: number }[] = [];

  now(): number {
    return 0;
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
