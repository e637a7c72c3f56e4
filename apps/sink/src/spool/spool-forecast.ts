import type { SpoolBudget } from './spool-budget.ts';

interface Sample {
  readonly atMs: number;
  readonly bytes: number;
}

/** Predicts from the last minute when the spool will be full. */
export class SpoolForecast {
  readonly #windowMs: number;
  readonly #samples: Sample[] = [];

  /** @param windowMs how far back the rate is taken from, in milliseconds. Default 60000. */
  constructor(windowMs = 60_000) {
    this.#windowMs = windowMs;
  }

  /** Call it every second or so. */
  sample(atMs: number, bytes: number): void {
    this.#samples.push({ atMs, bytes });
    while (this.#samples[0]!.atMs < atMs - this.#windowMs) this.#samples.shift();
  }

  /**
   * Milliseconds until the spool is full at the present rate. 0 while it is full, even if encoding has freed some room since. Infinity
   * while it does not grow.
   */
  msToFull({ full, limits: { bytesMax } }: Pick<SpoolBudget, 'full' | 'limits'>): number {
    if (full) return 0;
    const [first] = this.#samples;
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined) return Number.POSITIVE_INFINITY;
    if (last.bytes >= bytesMax) return 0;
    const bytesPerMs = (last.bytes - first.bytes) / (last.atMs - first.atMs);
    return bytesPerMs > 0 ? (bytesMax - last.bytes) / bytesPerMs : Number.POSITIVE_INFINITY;
  }
}
