import type { PhaseResult } from '../../load/generator/open-load.ts';
import { judge, measures, type Judged } from '../../load/measure/threshold.ts';
import type { Experiment } from '../experiment/experiment-schema.ts';
import { largerValues, worseShare } from './significance.ts';

/** `held`: the hypothesis is not disproved. `deviated`: it is. `aborted`: the experiment has no verdict. */
export type Verdict = 'held' | 'deviated' | 'aborted';

/** Exit status of each verdict. */
export const exitCodes: Readonly<Record<Verdict, number>> = { held: 0, deviated: 1, aborted: 2 };

type StreamProbe = Experiment['steady-state'][number];
type NoWorse = Experiment['hypothesis']['no-worse'][number];

/** A difference has to be less probable than this by chance. */
const significance = 0.01;

/** Judges a measure of a stream in a phase. */
export function judgeProbe(name: string, probe: StreamProbe, result: PhaseResult | undefined): Judged {
  const totals = result?.totals[probe.stream];
  const value = totals === undefined ? undefined : measures[probe.measure](totals);
  return judge(`${name}: ${probe.stream} ${probe.measure}`, value, limitsOf(probe));
}

/** The limits of a probe as `judge` takes them. */
export function limitsOf({ 'at-least': atLeast, 'at-most': atMost }: Pick<StreamProbe, 'at-least' | 'at-most'>): {
  readonly atLeast?: number;
  readonly atMost?: number;
} {
  return { ...(atLeast === undefined ? {} : { atLeast }), ...(atMost === undefined ? {} : { atMost }) };
}

/**
 * Compares the groups in a phase. The experimental group is worse when the difference is larger than the margin and has a
 * probability below 1 % by chance.
 */
export function judgeDifference({ stream, measure, margin }: NoWorse, control: PhaseResult, experiment: PhaseResult): Judged {
  const [a, b] = [control.totals[stream], experiment.totals[stream]];
  const byShare = measure === 'accepted-share';
  const probability = byShare
    ? worseShare({ good: a?.accepted ?? 0, all: a?.planned ?? 0 }, { good: b?.accepted ?? 0, all: b?.planned ?? 0 })
    : largerValues(p99sOf(control, stream), p99sOf(experiment, stream));
  const [value, other] = [a, b].map((totals) => (totals === undefined ? undefined : measures[measure](totals)));
  const worseBy = value === undefined || other === undefined ? undefined : byShare ? value - other : other - value;
  const name = `during: ${stream} ${measure} worse than control (p = ${probability?.toPrecision(2) ?? 'unknown'})`;
  if (probability === undefined || worseBy === undefined) return judge(name, undefined, { atMost: margin });
  // A difference without significance counts as no difference.
  return { ...judge(name, worseBy, { atMost: margin }), met: worseBy <= margin || probability >= significance };
}

function p99sOf({ points }: PhaseResult, stream: NoWorse['stream']): number[] {
  return (points[stream] ?? []).flatMap(({ p99Ms }) => p99Ms ?? []);
}
