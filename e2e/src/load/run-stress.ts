import { steadyPhase, streamNames, type StreamName } from './generator/load-phase.ts';
import type { LoadContext, ProfileFindings } from './load-context.ts';
import { recoverySeconds } from './measure/recovery.ts';
import { judge, judgeThreshold, type Threshold } from './measure/threshold.ts';
import { findCapacities } from './run-breakpoint.ts';

/** Shares of the capacity of each stream. All share one machine, so the sum is the load of the machine. */
const shares = {
  usual: { purchase: 0.2, batch: 0.1, query: 0.1 },
  /** Twice the capacity. The purchases alone are within it. */
  overload: { purchase: 0.5, batch: 0.75, query: 0.75 },
} as const satisfies Readonly<Record<string, Readonly<Record<StreamName, number>>>>;

const thresholds: readonly Threshold[] = [
  { phase: 'before', stream: 'purchase', measure: 'error-share', atMost: 0.005 },
  { phase: 'overload', stream: 'purchase', measure: 'arrival-share', atLeast: 0.995 },
  { phase: 'overload', stream: 'purchase', measure: 'accepted-share', atLeast: 0.995 },
  ...streamNames.map((stream) => ({ phase: 'overload', stream, measure: 'failed-share', atMost: 0.001 }) as const),
  { phase: 'overload', stream: 'batch', measure: 'shed-share', atLeast: 0.01 },
  { phase: 'overload', stream: 'query', measure: 'shed-share', atLeast: 0.01 },
];

const goodputShare = 0.95;
const recoverySecondsMax = 30;

/**
 * Measures the capacity of each stream, and loads the machine with twice of it for a minute. Single purchases are within their capacity and
 * must be answered. Batches and queries must be shed, and the goodput must return after the overload.
 */
export async function runStress(context: LoadContext, stepSeconds: number, overloadSeconds: number): Promise<ProfileFindings> {
  const capacities = await findCapacities(context, { stepSeconds, refinements: 2 });
  const ratesOf = (share: Readonly<Record<StreamName, number>>): Record<StreamName, number> =>
    Object.fromEntries(capacities.map(({ stream, perSecond }) => [stream, share[stream] * perSecond])) as Record<StreamName, number>;
  const before = await context.run(steadyPhase('before', 15, ratesOf(shares.usual)));
  const overload = await context.run(steadyPhase('overload', overloadSeconds, ratesOf(shares.overload)));
  // Without a pause: the wait for the last answers of the overload would hide the time of the recovery.
  const after = await context.run(steadyPhase('after', 45, ratesOf(shares.usual)));
  const waited = after.beganSecond - overload.beganSecond - overload.seconds;
  const recovered = recoverySeconds(Object.values(after.points).flat(), goodputShare);
  return {
    capacities,
    judged: [
      ...thresholds.map((threshold) => judgeThreshold(threshold, [before, overload, after])),
      judge('seconds from the end of the overload to a goodput of 95 %', recovered === undefined ? undefined : waited + recovered, {
        atMost: recoverySecondsMax,
      }),
    ],
  };
}
