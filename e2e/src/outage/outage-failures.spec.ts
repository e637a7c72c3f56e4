import { describe, expect, it } from 'vitest';
import { outageFailures, type OutageFigures } from './outage-failures.ts';

const none = { count: 0, named: [] };
const good: OutageFigures = {
  conditions: 'none',
  sent: 1000,
  rateAsked: 100,
  ratePerSecond: 95,
  behindMs: 0,
  clientRetries: 0,
  drainedMs: 20_000,
  drainRowsPerSecond: 300,
  liveRatePerSecond: 100,
  rssMb: { first: 100, last: 125, max: 130 },
  verdict: { acknowledged: 1000, logRecords: 1000, rows: 1000, files: 8, lost: none, duplicated: none, unexplained: none },
};

describe('outageFailures', () => {
  it('an outage that meets every requirement is not a failure', () => {
    expect(outageFailures(good)).toEqual([]);
  });

  it.each<readonly [string, Partial<OutageFigures>, string]>([
    [
      'fewer purchases a second than asked for',
      { ratePerSecond: 94 },
      '94 purchases a second were acknowledged while S3 was down, 100 were requested',
    ],
    [
      'a slow drain',
      { drainRowsPerSecond: 299, liveRatePerSecond: 50 },
      'the drain landed 299 rows a second, less than 3 times the 100 of live traffic',
    ],
    ['a drain that does not end', { drainedMs: Infinity }, 'the backlog had not landed 180 s after S3 was back'],
    ['memory that grows', { rssMb: { first: 100, last: 126, max: 126 } }, "the sink's memory grew from 100 to 126 MB"],
    ['a purchase without a receipt', { sent: 1001 }, '1 purchases were sent and not acknowledged'],
    [
      'a lost purchase',
      { verdict: { ...good.verdict, lost: { count: 1, named: ['event 7'] } } },
      'purchases were lost, duplicated or unexplained',
    ],
  ])('an outage with %s is a failure', (_, flaw, failure) => {
    expect(outageFailures({ ...good, ...flaw })).toEqual([failure]);
  });
});
