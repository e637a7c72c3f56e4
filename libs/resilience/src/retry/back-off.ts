/** How long to wait between attempts. */
export interface BackOff {
  /** Bound of the first wait in milliseconds. */
  readonly baseMs: number;
  /** By how much the bound grows with every attempt. */
  readonly factor: number;
  /** Longest wait in milliseconds. */
  readonly waitMsMax: number;
}

/** Exponential back-off with full jitter: `rand(0, min(waitMsMax, baseMs · factor ^ attempt))`, attempts counted from 0. */
export function backOffMs({ baseMs, factor, waitMsMax }: BackOff, attempt: number, random: () => number): number {
  return random() * Math.min(waitMsMax, baseMs * factor ** attempt);
}
