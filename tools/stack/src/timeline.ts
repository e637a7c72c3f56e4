/** Measures the phases of a command. */
export class Timeline {
  readonly #now: () => number;
  readonly #phases: [name: string, ms: number][] = [];
  #since: number;

  /** @param now a monotonic clock in milliseconds */
  constructor(now = (): number => performance.now()) {
    this.#now = now;
    this.#since = now();
  }

  /** Adds a phase that was measured elsewhere, if it took any time. */
  add(name: string, ms: number): void {
    if (ms > 0) this.#phases.push([name, ms]);
  }

  /** Ends a phase, which began when the one before it ended. */
  mark(name: string): void {
    const now = this.#now();
    this.add(name, now - this.#since);
    this.#since = now;
  }

  /** The sum and the phases as one line. */
  text(): string {
    const sum = this.#phases.reduce((total, [, ms]) => total + ms, 0);
    return `Took ${durationText(sum)}: ${this.#phases.map(([name, ms]) => `${name} ${durationText(ms)}`).join(', ')}.`;
  }
}

/** 65,000 → `1 min 5 s`; below a minute with one decimal. */
export function durationText(ms: number): string {
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
