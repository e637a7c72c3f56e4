import type { BreakerSpec } from '../settings/pipeline-spec.ts';

/** Settings of a breaker with all defaults. */
export type BreakerSettings = Required<BreakerSpec>;

/** Calls that the breaker has recorded in its window. */
export interface RecordedCalls {
  readonly votes: number;
  readonly failures: number;
  readonly slow: number;
}

/** Returns the reason to open a closed circuit, or undefined when it must stay closed. */
export function findOpenReason({ votes, failures, slow }: RecordedCalls, settings: BreakerSettings): 'failures' | 'slowness' | undefined {
  if (votes < settings.volumeMin) return undefined;
  if (failures >= votes * settings.failureShareMax) return 'failures';
  if (slow >= votes * settings.slowShareMax) return 'slowness';
  return undefined;
}

/** Time for which the circuit stays open. It grows with each failed recovery, and its last part is random. */
export function computeBreakDurationMs(failedRecoveries: number, settings: BreakerSettings, random: () => number): number {
  const fullMs = Math.min(settings.openMsMax, settings.openMs * settings.openFactor ** failedRecoveries);
  return fullMs * (1 - settings.openJitter * random());
}

/**
 * Ratio of admitted calls while a recovered circuit ramps up.
 * @param rampMs Above 0.
 */
export function computeRampRatio(sinceClosedMs: number, rampMs: number): number {
  return Math.min(1, 0.1 + (0.9 * sinceClosedMs) / rampMs);
}
