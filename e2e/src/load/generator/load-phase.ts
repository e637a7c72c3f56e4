/** Kinds of requests of a load. */
export const streamNames = ['purchase', 'batch', 'query'] as const;

/** A kind of request. `purchase` is one event a request, `batch` many, `query` a statement with its answer. */
export type StreamName = (typeof streamNames)[number];

/** Requests a second at the start and at the end of a phase. The rate changes linearly between them. */
export interface RateRange {
  readonly from: number;
  readonly to: number;
}

/** A part of a load. */
export interface LoadPhase {
  readonly name: string;
  readonly seconds: number;
  /** Other streams send no requests. */
  readonly rates: Readonly<Partial<Record<StreamName, RateRange>>>;
}

/** A phase with constant rates. */
export function steadyPhase(name: string, seconds: number, rates: Readonly<Partial<Record<StreamName, number>>>): LoadPhase {
  return { name, seconds, rates: Object.fromEntries(Object.entries(rates).map(([stream, rate]) => [stream, { from: rate, to: rate }])) };
}

/** The number of requests of a stream that a phase plans. It is independent of the generator's own count. */
export function plannedRequests({ seconds, rates }: LoadPhase, stream: StreamName): number {
  const { from, to } = rates[stream] ?? { from: 0, to: 0 };
  return ((from + to) / 2) * seconds;
}

/**
 * The moment at which a request is due, in milliseconds from the start of the phase.
 *
 * @param index requests of the stream before it, from 0
 * @returns undefined when the phase ends before
 */
export function dueMs(phase: LoadPhase, stream: StreamName, index: number): number | undefined {
  const { from, to } = phase.rates[stream] ?? { from: 0, to: 0 };
  if (index >= Math.floor(plannedRequests(phase, stream))) return undefined;
  const growth = (to - from) / phase.seconds;
  // The inverse of the number of requests until t: from·t + growth·t²/2.
  const seconds = growth === 0 ? index / from : (Math.sqrt(from * from + 2 * growth * index) - from) / growth;
  return seconds * 1000;
}
