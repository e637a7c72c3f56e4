import { steadyPhase, type LoadPhase, type StreamName } from './generator/load-phase.ts';
import type { Threshold } from './measure/threshold.ts';

/** Names of the profiles. */
export const profileNames = ['smoke', 'load', 'stress', 'spike', 'breakpoint', 'soak'] as const;

/** Name of a profile. */
export type ProfileName = (typeof profileNames)[number];

/** A load with fixed rates, and its requirements. */
export interface FixedProfile {
  readonly phases: readonly LoadPhase[];
  readonly thresholds: readonly Threshold[];
}

const streams = ['purchase', 'batch', 'query'] as const;

/** Rates of usual work, in requests a second: far below the capacity of two cores, which the whole stack shares with the load. */
export const usualRates: Readonly<Record<StreamName, number>> = { purchase: 250, batch: 4, query: 4 };

/** A few seconds of little load. */
export const smoke: FixedProfile = {
  phases: [steadyPhase('hold', 10, { purchase: 20, batch: 1, query: 1 })],
  thresholds: usualThresholds('hold', { purchase: 1000, batch: 1500, query: 5000 }),
};

/** The rates of usual work, after a ramp. */
export const load: FixedProfile = {
  phases: [
    { name: 'ramp', seconds: 15, rates: ranges((rate) => ({ from: 0, to: rate })) },
    steadyPhase('hold', 120, usualRates),
    { name: 'fall', seconds: 5, rates: ranges((rate) => ({ from: rate, to: 0 })) },
  ],
  thresholds: usualThresholds('hold', { purchase: 250, batch: 500, query: 1500 }),
};

/** Ten times the usual purchases within a second, and back. */
export const spike: FixedProfile = {
  phases: [
    steadyPhase('before', 20, { ...usualRates, purchase: 100 }),
    { name: 'rise', seconds: 1, rates: { purchase: { from: 100, to: 1000 } } },
    steadyPhase('spike', 15, { ...usualRates, purchase: 1000 }),
    { name: 'fall', seconds: 1, rates: { purchase: { from: 1000, to: 100 } } },
    steadyPhase('settle', 10, { ...usualRates, purchase: 100 }),
    steadyPhase('after', 20, { ...usualRates, purchase: 100 }),
  ],
  thresholds: [
    ...usualThresholds('before', { purchase: 250, batch: 500, query: 1500 }),
    // During the spike, work may be shed with Retry-After. It must not fail.
    ...streams.map((stream) => ({ phase: 'spike', stream, measure: 'failed-share', atMost: 0.001 }) as const),
    { phase: 'spike', stream: 'purchase', measure: 'accepted-share', atLeast: 0.995 },
    { phase: 'spike', stream: 'purchase', measure: 'dropped-share', atMost: 0.001 },
    ...usualThresholds('after', { purchase: 250, batch: 500, query: 1500 }),
  ],
};

/** Usual work for a long time. */
export function soak(seconds: number): FixedProfile {
  const rates = { purchase: 100, batch: 1, query: 1 };
  return {
    phases: [steadyPhase('hold', seconds, rates)],
    // A rebalance delays the table, and the start of a sink takes a whole core for a second.
    thresholds: usualThresholds('hold', { purchase: 500, batch: 1000, query: 2500 }),
  };
}

/** Arrival rate, p99, errors and dropped requests of each stream. */
export function usualThresholds(phase: string, p99MsMax: Readonly<Record<StreamName, number>>): Threshold[] {
  return streams.flatMap((stream): Threshold[] => [
    { phase, stream, measure: 'arrival-share', atLeast: 0.99 },
    { phase, stream, measure: 'p99-ms', atMost: p99MsMax[stream] },
    { phase, stream, measure: 'error-share', atMost: 0.001 },
    { phase, stream, measure: 'dropped-share', atMost: 0.001 },
  ]);
}

function ranges<T>(range: (rate: number) => T): Record<StreamName, T> {
  return { purchase: range(usualRates.purchase), batch: range(usualRates.batch), query: range(usualRates.query) };
}
