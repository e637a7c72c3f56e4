import type { LoadState } from '../generator/open-load.ts';
import { streamNames } from '../generator/load-phase.ts';
import type { ServiceSamples } from '../measure/service-samples.ts';
import type { LoadReport } from '../run-load.ts';
import { judgedRows, phaseRows } from './load-rows.ts';

const phaseHeads = ['phase', 'stream', 'planned', 'accepted', 'shed', 'failed', 'dropped', 'p50 ms', 'p99 ms'];

/** The report of a load for a terminal. */
export function loadText({ profile, passed, judged, phases, lake, failures }: LoadReport): string {
  return [
    ...aligned([phaseHeads, ...phaseRows(phases)]),
    '',
    ...aligned(judgedRows(judged).map(([name = '', value = '', limit = '', met = '']) => [name, value, limit, met])),
    '',
    `Table: ${lake.rowsBefore} rows before, ${lake.rowsAfter} after.`,
    `${lake.landed} of ${lake.acknowledged} acknowledged events are in it, ${lake.lost} are missing, ${lake.duplicated} are there twice.`,
    `${lake.landedWithoutReceipt} events landed without a receipt. The last event landed ${lake.landSeconds.toFixed(1)} s after the load.`,
    ...Object.entries(failures).map(([reason, count]) => `${count} × ${reason}`),
    `Load profile ${profile}: ${passed ? 'passed' : 'failed'}.`,
    '',
  ].join('\n');
}

/** One line about a load that runs. */
export function stateText({ phase, elapsedSeconds, totals }: LoadState, samples: ServiceSamples): string {
  const streams = streamNames.flatMap((stream) => {
    const found = totals[stream];
    if (found === undefined) return [];
    const { accepted, shed, failed, dropped, p99Ms } = found;
    const troubles = Object.entries({ shed, failed, dropped }).flatMap(([name, count]) => (count === 0 ? [] : [`${count} ${name}`]));
    const p99 = p99Ms === undefined ? [] : [`p99 ${Math.round(p99Ms)} ms`];
    return [[stream, `${accepted} ok`, ...troubles, ...p99].join(' ')];
  });
  const lag = samples.last('sink', 'lagRecords');
  const seconds = Math.min(Math.round(elapsedSeconds), phase.seconds);
  return [`${phase.name} ${seconds}/${phase.seconds} s`, ...streams, ...(lag === undefined ? [] : [`lag ${lag}`])].join(' · ');
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]!.length))) ?? [];
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
}
