import type { Patience } from '@millrace/lake';
import { backOffMs, RejectedError, sleep, type Clock } from '@millrace/resilience';

/** Settings of the back-off of lanes before they retry a step. */
export interface LaneRetryDelaySettings {
  /** Maximum first back-off after a failure, in milliseconds. */
  readonly baseMs: number;
  /** Maximum back-off after a failure, in milliseconds. */
  readonly waitMsMax: number;
}

// Maximum wait of a rejected call beyond the circuit's retry-after time. Half-open probes and the ramp take a second or two.
const refusedWaitMsMax = 1000;

/**
 * Exponential back-off with full jitter for failures. A call that our own circuit rejected sent no request, so its back-off does not grow.
 * The lane retries it as soon as the circuit may admit it. Otherwise a lane that was rejected just before the circuit closed would sleep
 * through the first seconds of a recovered S3.
 */
export function laneRetryDelay({ baseMs, waitMsMax }: LaneRetryDelaySettings, clock: Clock, random: () => number): Patience {
  return {
    wait: async (attempt, error, signal) => {
      const ms =
        error instanceof RejectedError
          ? (error.retryAfterMs ?? 0) + random() * Math.min(refusedWaitMsMax, waitMsMax)
          : backOffMs({ baseMs, factor: 2, waitMsMax }, attempt, random);
      await sleep(ms, { clock, signal });
    },
  };
}
