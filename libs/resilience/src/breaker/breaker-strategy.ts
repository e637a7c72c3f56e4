import type { BreakerSpec } from '../settings/pipeline-spec.ts';

/** Settings of a breaker with all defaults. */
export type BreakerSettings = Required<BreakerSpec>;

/** Calls that the breaker has recorded in its window. */
export interface RecordedCalls {
  readonly calls: number;
  readonly failures: number;
  readonly slowCalls: number;
}

/** Returns the reason to open a closed circuit, or undefined when it must stay closed. */
export function findOpenReason(
  { calls, failures, slowCalls }: RecordedCalls,
  settings: BreakerSettings,
): 'failures' | 'slowness' | undefined {
  if (calls < settings.minimumCalls) return undefined;
  if (failures >= calls * settings.failureRatio) return 'failures';
  if (slowCalls >= calls * settings.slowCallRatio) return 'slowness';
  return undefined;
}

/** Time for which the circuit stays open. It grows with each failed recovery, and its last part is random. */
export function computeBreakDurationMs(failedRecoveries: number, settings: BreakerSettings, random: () => number): number {
  const fullMs = Math.min(settings.breakDurationMsMax, settings.breakDurationMs * settings.breakDurationFactor ** failedRecoveries);
  return fullMs * (1 - settings.breakDurationJitter * random());
}

/**
 * Ratio of admitted calls while a recovered circuit ramps up.
 * @param rampMs Above 0.
 */
export function computeRampRatio(sinceClosedMs: number, rampMs: number): number {
  return Math.min(1, 0.1 + (0.9 * sinceClosedMs) / rampMs);
}
