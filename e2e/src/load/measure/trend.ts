import { median } from '../../proof/median.ts';
import { judge, type Judged } from './threshold.ts';

/** A value at a moment, in seconds. */
export type TimedValue = readonly [second: number, value: number];

/** Pairs of samples grow with the square of the samples. */
const samplesMax = 200;
const samplesMin = 20;

/**
 * The slope of a series in units a second, by Theil and Sen: the median of the slopes of all pairs of samples. Single outliers, such as a
 * collection of garbage, do not move it.
 *
 * @returns undefined with fewer than 20 samples
 */
export function slopeOf(series: readonly TimedValue[]): number | undefined {
  if (series.length < samplesMin) return undefined;
  const step = Math.max(1, Math.ceil(series.length / samplesMax));
  const thinned = series.filter((_, n) => n % step === 0);
  const slopes = thinned.flatMap(([second, value], n) => thinned.slice(n + 1).map(([later, other]) => (other - value) / (later - second)));
  return median(slopes);
}

/**
 * Judges whether a series is flat. Its growth over its own length must not exceed a share of its median plus an allowance in its own unit.
 * The first fifth is warm-up and does not count.
 */
export function judgeFlat(name: string, series: readonly TimedValue[], shareMax: number, allowance: number): Judged {
  const steady = series.slice(Math.floor(series.length / 5));
  const slope = slopeOf(steady);
  const limit = { atMost: Math.round((steady.length === 0 ? 0 : median(steady.map(([, value]) => value))) * shareMax + allowance) };
  const growth = slope === undefined ? undefined : slope * (steady.at(-1)![0] - steady[0]![0]);
  return judge(`growth of ${name}`, growth === undefined ? undefined : Math.round(growth * 10) / 10, limit);
}
