import type { BreakerSpec } from '../settings/pipeline-spec.ts';

/** A breaker's settings, complete. */
export type BreakerSettings = Required<BreakerSpec>;

/** What the window holds. */
export interface Votes {
  readonly votes: number;
  readonly failures: number;
  readonly slow: number;
}

/** Whether the circuit must open, and why. */
export function judge({ votes, failures, slow }: Votes, settings: BreakerSettings): 'failures' | 'slowness' | undefined {
  if (votes < settings.volumeMin) return undefined;
  if (failures >= votes * settings.failureShareMax) return 'failures';
  if (slow >= votes * settings.slowShareMax) return 'slowness';
  return undefined;
}

/** How long the circuit stays open: growing with each failed probing, the last part of it random. */
export function openMsOf(failedProbings: number, settings: BreakerSettings, random: () => number): number {
  const fullMs = Math.min(settings.openMsMax, settings.openMs * settings.openFactor ** failedProbings);
  return fullMs * (1 - settings.openJitter * random());
}

/**
 * Share of calls let through so long after closing.
 * @param rampMs Above 0.
 */
export function rampShare(sinceClosedMs: number, rampMs: number): number {
  return Math.min(1, 0.1 + (0.9 * sinceClosedMs) / rampMs);
}
