import { streamNames } from '../generator/load-phase.ts';
import type { PhaseResult } from '../generator/open-load.ts';
import type { Judged } from '../measure/threshold.ts';

/** Requirements as cells: name, value, limit, whether it was met. */
export function judgedRows(judged: readonly Judged[]): string[][] {
  return judged.map(({ name, value, limit, met }) => [
    name,
    value === undefined ? 'no samples' : numberText(value),
    limit,
    met ? 'met' : 'missed',
  ]);
}

/** Counts of each stream in each phase as cells. */
export function phaseRows(phases: readonly PhaseResult[]): string[][] {
  return phases.flatMap(({ phase, totals }) =>
    streamNames.flatMap((stream) => {
      const found = totals[stream];
      if (found === undefined) return [];
      const { planned, accepted, shed, failed, dropped, p50Ms, p99Ms } = found;
      const counts = [planned, accepted, shed, failed, dropped].map((count) => numberText(Math.floor(count)));
      return [[phase.name, stream, ...counts, ...[p50Ms, p99Ms].map((ms) => (ms === undefined ? '–' : numberText(ms)))]];
    }),
  );
}

function numberText(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: Math.abs(value) < 1 ? 4 : 1 });
}
