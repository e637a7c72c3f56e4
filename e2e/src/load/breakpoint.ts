import { steadyPhase, type LoadPhase, type StreamName } from './generator/load-phase.ts';
import type { PhaseResult } from './generator/open-load.ts';

/** A step of the search. */
export interface CapacityStep {
  /** Requests a second that were due. */
  readonly rate: number;
  readonly acceptedPerSecond: number;
  readonly p99Ms: number | undefined;
  readonly held: boolean;
}

/** Highest rate that a stream held. */
export interface Capacity {
  readonly stream: StreamName;
  /** Accepted requests a second of the best step; 0 when none held. */
  readonly perSecond: number;
  readonly steps: readonly CapacityStep[];
}

/** How a capacity is searched. */
export interface SearchOptions {
  readonly stream: StreamName;
  /** First rate, in requests a second. */
  readonly from: number;
  readonly stepSeconds: number;
  /** Steps between the last held rate and the first that was not. */
  readonly refinements: number;
}

/** A rate above this is beyond the generator on any machine. */
const rateMax = 50_000;
const growth = 1.5;
const acceptedShareMin = 0.98;

/** Longest time of 99 of 100 requests in a step that counts as held, in milliseconds. */
export const heldP99MsMax: Readonly<Record<StreamName, number>> = { purchase: 500, batch: 1000, query: 2500 };

/**
 * Finds the highest rate at which a stream has 98 % of its planned requests accepted, with a bounded p99. The rate grows by half at each
 * step until one does not hold. Then the interval is halved a few times.
 */
export async function findCapacity(
  { stream, from, stepSeconds, refinements }: SearchOptions,
  run: (phase: LoadPhase) => Promise<PhaseResult>,
): Promise<Capacity> {
  const steps: CapacityStep[] = [];
  const tryRate = async (rate: number): Promise<boolean> => {
    const { totals } = await run(steadyPhase(`${stream} at ${rate}/s`, stepSeconds, { [stream]: rate }));
    const { accepted, planned, p99Ms } = totals[stream]!;
    const held = accepted / planned >= acceptedShareMin && p99Ms !== undefined && p99Ms <= heldP99MsMax[stream];
    steps.push({ rate, acceptedPerSecond: accepted / stepSeconds, p99Ms, held });
    return held;
  };
  let low = 0;
  let high = from;
  while (high <= rateMax && (await tryRate(high))) {
    low = high;
    high = Math.ceil(high * growth);
  }
  for (let n = 0; n < refinements && high - low > 1; n += 1) {
    const middle = Math.round((low + high) / 2);
    if (await tryRate(middle)) low = middle;
    else high = middle;
  }
  const best = steps.filter(({ held }) => held).reduce((most, { acceptedPerSecond }) => Math.max(most, acceptedPerSecond), 0);
  return { stream, perSecond: best, steps };
}
