import type { QueryList } from '@millrace/contracts';

/** How long ended queries waited for a worker. */
export interface Waits {
  readonly p50Ms: number;
  readonly p95Ms: number;
}

/** Median and 95th percentile of the waits of the listed queries; undefined when none has run. Answers from the cache did not wait. */
export function waitsOf(queries: QueryList['queries']): Waits | undefined {
  const waits = queries
    .flatMap(({ statistics, cached }) => (statistics === undefined || cached !== undefined ? [] : [statistics.queuedMs]))
    .toSorted((a, b) => a - b);
  if (waits.length === 0) return undefined;
  const quantile = (share: number): number => waits[Math.min(waits.length - 1, Math.ceil(share * waits.length) - 1)]!;
  return { p50Ms: quantile(0.5), p95Ms: quantile(0.95) };
}
