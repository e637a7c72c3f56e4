import { expect, it } from 'vitest';
import { steadyPhase } from '../generator/load-phase.ts';
import type { LoadReport } from '../run-load.ts';
import { drawLines } from './line-chart.ts';
import { loadPage } from './load-page.ts';

const totals = { planned: 20, sent: 19, accepted: 18, shed: 1, failed: 0, dropped: 1, p50Ms: 4, p99Ms: 40.25, maxMs: 50 };
const point = { due: 10, accepted: 9, shed: 1, failed: 0, dropped: 0, p99Ms: 40 };
const series = { heapMb: [], rssMb: [], openFiles: [], cpuSeconds: [], shedLevel: [], rowsLanded: [] };
const report: LoadReport = {
  profile: 'smoke',
  at: '2026-11-30T00:00:00.000Z',
  conditions: { cores: 2 },
  judged: [{ name: 'hold: <purchase> p99-ms', value: undefined, limit: '≤ 40', met: false }],
  passed: false,
  lake: {
    rowsBefore: 0,
    rowsAfter: 18,
    sent: 19,
    acknowledged: 18,
    landed: 18,
    lost: 0,
    duplicated: 0,
    landedWithoutReceipt: 0,
    landSeconds: 1,
  },
  capacities: [],
  failures: {},
  phases: [
    {
      phase: steadyPhase('hold', 2, { purchase: 10 }),
      beganSecond: 0,
      seconds: 2,
      totals: { purchase: totals },
      points: {
        purchase: [
          { second: 0, ...point },
          { second: 1, ...point, p99Ms: undefined },
        ],
      },
    },
  ],
  services: { sink: { ...series, lagRecords: [[0, 5]] } },
};

it('the page needs no other resource', () => {
  expect(loadPage(report)).not.toMatch(/<script|<link|src=|href=|url\(|@import/);
});

it('the page has the verdict, the requirements and a plot for each value that has samples', () => {
  const page = loadPage(report);
  expect(page).toContain('<h1>Load profile smoke: failed</h1>');
  expect(page).toContain('<tr class="missed"><td>hold: &lt;purchase&gt; p99-ms</td><td>no samples</td><td>≤ 40</td><td>missed</td></tr>');
  expect(page).toContain('<td>hold</td><td>purchase</td><td>20</td><td>18</td><td>1</td><td>0</td><td>1</td><td>4</td><td>40.3</td>');
  expect([...page.matchAll(/<figcaption>([^<]*)/g)].map(([, title]) => title)).toEqual([
    'purchase: requests of each interval',
    'purchase: p99 in ms',
    'Lag of the sink in records',
  ]);
});

it('a chart without a value is left out', () => {
  expect(drawLines({ title: 'x', marks: [], lines: [{ name: 'a', values: [] }] })).toBeUndefined();
});
