/**
 * The probability that a share as bad as the experiment's, compared with the control's, comes from chance alone. A one-sided two-proportion
 * z-test with pooled variance.
 *
 * @returns undefined when a group is empty
 */
export function worseShare(
  control: { readonly good: number; readonly all: number },
  experiment: { readonly good: number; readonly all: number },
): number | undefined {
  if (control.all === 0 || experiment.all === 0) return undefined;
  const [a, b] = [control.good / control.all, experiment.good / experiment.all];
  const pooled = (control.good + experiment.good) / (control.all + experiment.all);
  const deviation = Math.sqrt(pooled * (1 - pooled) * (1 / control.all + 1 / experiment.all));
  if (deviation === 0) return 1;
  return upperTail((a - b) / deviation);
}

/**
 * The probability that values as large as the experiment's, compared with the control's, come from chance alone. A one-sided Mann-Whitney
 * test with a correction for ties and continuity; it assumes no distribution.
 *
 * @returns undefined with fewer than 5 values in a group
 */
export function largerValues(control: readonly number[], experiment: readonly number[]): number | undefined {
  const [m, n] = [control.length, experiment.length];
  if (Math.min(m, n) < 5) return undefined;
  let u = 0;
  for (const value of experiment) for (const other of control) u += value > other ? 1 : value === other ? 0.5 : 0;
  const all = [...control, ...experiment];
  const ties = [...new Set(all)].map((value) => all.filter((other) => other === value).length);
  const size = m + n;
  const tieTerm = ties.reduce((sum, count) => sum + count ** 3 - count, 0) / (size * (size - 1));
  const deviation = Math.sqrt(((m * n) / 12) * (size + 1 - tieTerm));
  if (deviation === 0) return 1;
  return upperTail((u - (m * n) / 2 - 0.5) / deviation);
}

/** Probability that a standard normal value is above z. Abramowitz and Stegun 26.2.17, absolute error below 7.5e-8. */
function upperTail(z: number): number {
  const t = 1 / (1 + 0.231_641_9 * Math.abs(z));
  const factors = [0.319_381_53, -0.356_563_782, 1.781_477_937, -1.821_255_978, 1.330_274_429];
  const polynomial = factors.reduceRight((sum, factor) => (sum + factor) * t, 0);
  const tail = (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * polynomial;
  return z >= 0 ? tail : 1 - tail;
}
