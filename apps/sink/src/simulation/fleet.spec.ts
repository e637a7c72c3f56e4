import { expect, it } from 'vitest';
import { runFleet } from './fleet.ts';

it('a fleet of sinks lands each record once through a rolling restart, and a flush costs the same for each lane', async () => {
  const report = await runFleet({ partitions: 40, sinks: 4, rounds: 2, restarts: 4 });
  expect([report.lost, report.doubled, report.incomplete]).toEqual([0, 0, 0]);
  expect(report.events).toBe(40 * 3 * (2 + 2 * 4));
  expect([report.rebalances, report.steadyBatches]).toEqual([8, 80]);
  // Two days in each batch: two files are staged, the entry is written, two files are published.
  expect(report.steady).toMatchObject({ put: 3 * 80, copy: 2 * 80 });
  expect(report.lanesMoved).toBeGreaterThan(40);
});
