import type { PhaseResult } from '../generator/open-load.ts';
import type { StreamName } from '../generator/load-phase.ts';
import type { StreamTotals } from '../generator/stream-tally.ts';

/** Values of a stream that a threshold can limit. Shares are relative to the planned requests. */
export const measures = {
  'arrival-share': ({ sent, planned }: StreamTotals) => sent / planned,
  'accepted-share': ({ accepted, planned }: StreamTotals) => accepted / planned,
  'error-share': ({ shed, failed, planned }: StreamTotals) => (shed + failed) / planned,
  'failed-share': ({ failed, planned }: StreamTotals) => failed / planned,
  'shed-share': ({ shed, planned }: StreamTotals) => shed / planned,
  'dropped-share': ({ dropped, planned }: StreamTotals) => dropped / planned,
  'p50-ms': ({ p50Ms }: StreamTotals) => p50Ms,
  'p99-ms': ({ p99Ms }: StreamTotals) => p99Ms,
} as const satisfies Readonly<Record<string, (totals: StreamTotals) => number | undefined>>;

/** Name of a measure. */
export type Measure = keyof typeof measures;

/** A limit of one measure of one stream in one phase. */
export interface Threshold {
  readonly phase: string;
  readonly stream: StreamName;
  readonly measure: Measure;
  readonly atLeast?: number;
  readonly atMost?: number;
}

/** A requirement with its measured value. A value without samples is undefined and misses every limit. */
export interface Judged {
  readonly name: string;
  readonly value: number | undefined;
  readonly limit: string;
  readonly met: boolean;
}

/** Compares a value with its limits. Without a value no limit is met. */
export function judge(name: string, value: number | undefined, { atLeast, atMost }: Pick<Threshold, 'atLeast' | 'atMost'>): Judged {
  const found = value === undefined || Number.isNaN(value) ? undefined : value;
  const limits = [...(atLeast === undefined ? [] : [`≥ ${atLeast}`]), ...(atMost === undefined ? [] : [`≤ ${atMost}`])];
  const met = found !== undefined && (atLeast === undefined || found >= atLeast) && (atMost === undefined || found <= atMost);
  return { name, value: found, limit: limits.join(' and '), met };
}

/** Judges a threshold. A phase that did not run, and a stream without requests, have no samples. */
export function judgeThreshold(threshold: Threshold, results: readonly PhaseResult[]): Judged {
  const { phase, stream, measure } = threshold;
  const totals = results.find((one) => one.phase.name === phase)?.totals[stream];
  return judge(`${phase}: ${stream} ${measure}`, totals === undefined ? undefined : measures[measure](totals), threshold);
}
