/** Exponential back-off between attempts. */
export interface BackOff {
  /** Upper bound of the first wait in milliseconds. */
  readonly baseMs: number;
  /** Factor by which the bound of the back-off grows with each attempt. */
  readonly factor: number;
  /** Largest bound in milliseconds. */
  readonly waitMsMax: number;
}

/**
 * Milliseconds to wait before the next attempt. Exponential back-off with full jitter:
 * `rand(0, min(waitMsMax, baseMs · factor ^ attempt))`. Attempts count from 0.
 *
 * @param random Returns a number in [0, 1).
 */
export function backOffMs({ baseMs, factor, waitMsMax }: BackOff, attempt: number, random: () => number): number {
  return random() * Math.min(waitMsMax, baseMs * factor ** attempt);
}
