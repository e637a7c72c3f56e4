import { FullForecast } from '@millrace/runtime';
import type { SpoolBudget } from './spool-budget.ts';

/** Predicts from the last minute when the spool will be full. */
export class SpoolForecast {
  readonly #forecast = new FullForecast();

  /** Call it every second or so. */
  sample(atMs: number, bytes: number): void {
    this.#forecast.sample(atMs, bytes);
  }

  /**
   * Milliseconds until the spool is full at the present rate. 0 while it is full, even if encoding has freed some room since. Infinity
   * while it does not grow.
   */
  msToFull({ full, limits: { bytesMax } }: Pick<SpoolBudget, 'full' | 'limits'>): number {
    return full ? 0 : this.#forecast.msToFull(bytesMax);
  }
}
