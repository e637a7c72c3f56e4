import { describe, expect, it } from 'vitest';
import { rebalanceFailures } from './sink-rebalance.ts';

const none = { count: 0, named: [] };
const clean = { acknowledged: 9, logRecords: 9, rows: 9, files: 1, lost: none, duplicated: none, unexplained: none };

describe('rebalanceFailures', () => {
  it('a rebalance with stalls of up to 10 s passes', () => {
    expect(rebalanceFailures([{ what: '1 → 2 sinks', stallsMs: [200, 10_000] }], clean)).toEqual([]);
  });

  it('a rebalance with a longer or endless stall fails', () => {
    expect(
      rebalanceFailures(
        [
          { what: '1 → 2 sinks', stallsMs: [200, 10_001] },
          { what: '2 → 1 sinks', stallsMs: [Infinity, 300] },
        ],
        clean,
      ),
    ).toEqual([
      '1 → 2 sinks: partition 1 stood still for 10.0 s, and 10 s are allowed',
      '2 → 1 sinks: partition 0 stood still for Infinity s, and 10 s are allowed',
    ]);
  });

  it('a rebalance with a lost purchase fails', () => {
    expect(rebalanceFailures([], { ...clean, lost: { count: 1, named: ['event 7'] } })).toEqual([
      'purchases were lost, duplicated or unexplained',
    ]);
  });
});
