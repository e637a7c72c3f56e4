import { median } from '../report/figures.ts';

/** One measured number in the common format of all benchmarks. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly target?: string;
  readonly met?: boolean;
}

/** Measures of one subject in one round. */
export interface Measurement {
  readonly eventsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  /** Undefined where the system does not report it. */
  readonly cpuMicrosPerEvent: number | undefined;
  /** Requests that were not accepted. */
  readonly refused: number;
}

/** Measurements of one subject, one per round. */
export type Rounds = readonly Measurement[];

const units = { eventsPerSecond: 'events/s', p50Ms: 'ms', p99Ms: 'ms', p999Ms: 'ms', cpuMicrosPerEvent: 'µs/event' } as const;
const labels = { eventsPerSecond: 'accepted', p50Ms: 'p50', p99Ms: 'p99', p999Ms: 'p99.9', cpuMicrosPerEvent: 'CPU' } as const;
type Measure = keyof typeof units;
const measures = Object.keys(units) as readonly Measure[];

/** The median over the rounds of each measure, and all requests that were not accepted. */
export function figuresOf(name: string, rounds: Rounds): Figure[] {
  const medians = measures.flatMap((measure): Figure[] => {
    const values = valuesOf(rounds, measure);
    return values === undefined ? [] : [{ name: `${name}: ${labels[measure]}`, value: rounded(median(values)), unit: units[measure] }];
  });
  return [...medians, { name: `${name}: not accepted`, value: rounds.reduce((sum, { refused }) => sum + refused, 0), unit: 'requests' }];
}

/** A bound on a ratio. */
export interface RatioTarget {
  readonly min?: number;
  readonly max?: number;
}

/**
 * The median of the ratios of each round. Both subjects of a round ran within the same minute, so slow drifts of the machine cancel out.
 *
 * @returns no figure where a measure is missing
 */
export function ratioOf(name: string, measure: Measure, subject: Rounds, reference: Rounds, { min, max }: RatioTarget = {}): Figure[] {
  const [own, base] = [valuesOf(subject, measure), valuesOf(reference, measure)];
  if (own === undefined || base === undefined) return [];
  const value = rounded(median(own.map((one, round) => one / base[round]!)));
  const target =
    min === undefined ? (max === undefined ? {} : { target: `≤ ${max}`, met: value <= max }) : { target: `≥ ${min}`, met: value >= min };
  return [{ name, value, unit: '×', ...target }];
}

/** The value below which a part of sorted values lies; 0 without values. */
export function quantile(sorted: Float64Array, part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}

function valuesOf(rounds: Rounds, measure: Measure): readonly number[] | undefined {
  const values = rounds.flatMap((round) => round[measure] ?? []);
  return values.length === rounds.length ? values : undefined;
}

function rounded(value: number): number {
  return value >= 1000 ? Math.round(value) : Number(value.toPrecision(3));
}
