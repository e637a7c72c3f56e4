import type { EngineName, LayoutName } from '@millrace/contracts';
import { quantile } from '../proof/quantile.ts';

/** Purchases that were each followed by a query, on one engine and layout. */
export interface WaitForRow {
  readonly engine: EngineName;
  readonly layout: LayoutName;
  readonly purchases: number;
  /** Queries that returned their purchase exactly once, from the layout that they asked for. */
  readonly seen: number;
  /** Messages of the other queries, the first few. */
  readonly missed: readonly string[];
  /** Times from the POST of the purchase to the answer of the query, in milliseconds. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** One purchase and the query that followed it. */
export interface FollowedPurchase {
  /** Why the query did not return its purchase. Undefined when it did. */
  readonly missed?: string;
  readonly tookMs: number;
}

const missedNamedMax = 3;

/** Sums up one engine and layout. */
export function waitForRow(engine: EngineName, layout: LayoutName, followed: readonly FollowedPurchase[]): WaitForRow {
  const missed = followed.flatMap((one) => one.missed ?? []);
  const times = followed.filter((one) => one.missed === undefined).map(({ tookMs }) => tookMs);
  return {
    engine,
    layout,
    purchases: followed.length,
    seen: followed.length - missed.length,
    missed: missed.slice(0, missedNamedMax),
    p50Ms: quantile(times, 0.5),
    p99Ms: quantile(times, 0.99),
  };
}

/** The claims that a run does not meet. */
export function waitForFailures(rows: readonly WaitForRow[]): string[] {
  if (rows.length === 0) return ['nothing was asked'];
  return rows
    .filter(({ seen, purchases }) => seen < purchases)
    .map(({ engine, layout, seen, purchases, missed }) => `${engine} ${layout}: ${purchases - seen} not seen, the first: ${missed[0]}`);
}

/** A run for a person. */
export function waitForText(rows: readonly WaitForRow[], conditions: string): string {
  const failures = waitForFailures(rows);
  return [
    `Each purchase followed by a query that waits for its receipt (${conditions}):`,
    ...rows.map(({ engine, layout, seen, purchases, p50Ms, p99Ms }) => {
      const times = `from the POST to the answer p50 ${p50Ms} ms, p99 ${p99Ms} ms`;
      return `  ${engine.padEnd(7)} ${layout.padEnd(8)} ${seen} of ${purchases} seen, ${times}`;
    }),
    failures.length === 0 ? 'Passed.' : `Failed: ${failures.join('; ')}.`,
  ].join('\n');
}
