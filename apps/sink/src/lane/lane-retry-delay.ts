import type { Patience } from '@millrace/lake';
import { backOffMs, RejectedError, sleep, type Clock } from '@millrace/resilience';

/** How long lanes wait before they try a step again. */
export interface LaneRetryDelaySettings {
  /** Bound of the first wait after a failure, in milliseconds. */
  readonly baseMs: number;
  /** Longest wait after a failure, in milliseconds. */
  readonly waitMsMax: number;
}

// What a refused call waits at most, beyond the time that the circuit names: probing and ramping up take a second or two.
const refusedWaitMsMax = 1000;

/**
 * Failures wait longer and longer, with full jitter. A call that our own circuit refused has asked nobody, so it is no reason to wait
 * longer: it comes back as soon as the circuit may let it through. Otherwise a lane that was refused while the circuit closed
 * again would sleep through the first seconds of an S3 that is back.
 */
export function laneRetryDelay({ baseMs, waitMsMax }: LaneRetryDelaySettings, clock: Clock, random: () => number): Patience {
  return {
    wait: async (attempt, error, signal) => {
      const ms = error instanceof RejectedError ? (error.retryAfterMs ?? 0) + random() * Math.min(refusedWaitMsMax, waitMsMax) : backOffMs({ baseMs, factor: 2, waitMsMax }, attempt, random);
      await sleep(ms, { clock, signal });
    },
  };
}
