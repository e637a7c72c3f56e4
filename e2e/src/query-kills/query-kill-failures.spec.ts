import { expect, it } from 'vitest';
import { queryKillFailures, type FaultAmidQueries } from './query-kill-failures.ts';

const amid: FaultAmidQueries = {
  queries: 100,
  endedBefore: 12,
  ends: { succeeded: 99, failed: { unavailable: 1 }, lost: 0 },
  executedTwice: 0,
};
const good = {
  startKills: { kills: 100, succeeded: 100, executedTwice: 0, neverExecuted: 0 },
  allWorkersKilled: amid,
  redisRestarted: amid,
  concurrent: [{ engine: 'duckdb', queries: 200, ends: { succeeded: 200, failed: {}, lost: 0 }, seconds: 9 }],
  stuckReads: { aloneP99Ms: 200, besideP99Ms: 300, stillStuck: 2 },
};

it('a proof that meets each claim has no failure, and a query may fail with a reason', () => {
  expect(queryKillFailures(good)).toEqual([]);
});

it.each([
  ['2 queries were executed twice', { startKills: { ...good.startKills, executedTwice: 2 } }],
  ['1 queries were never executed', { startKills: { ...good.startKills, neverExecuted: 1 } }],
  ['3 queries did not survive', { startKills: { ...good.startKills, succeeded: 97 } }],
  ['100 of 100 queries had ended before', { allWorkersKilled: { ...amid, endedBefore: 100 } }],
  ['1 queries were lost when Redis was restarted', { redisRestarted: { ...amid, ends: { ...amid.ends, lost: 1 } } }],
  ['without a reason when Redis', { redisRestarted: { ...amid, ends: { ...amid.ends, failed: { 'without a reason': 1 } } } }],
  ['1 queries were executed twice when all workers', { allWorkersKilled: { ...amid, executedTwice: 1 } }],
  ['1 of 200 concurrent queries on duckdb', { concurrent: [{ ...good.concurrent[0]!, ends: { succeeded: 199, failed: {}, lost: 1 } }] }],
  ['did not hang on S3', { stuckReads: { ...good.stuckReads, stillStuck: 1 } }],
  ['p99 on Athena was 500 ms beside', { stuckReads: { ...good.stuckReads, besideP99Ms: 500 } }],
])('the failure "%s" is reported', (text, change) => {
  expect(queryKillFailures({ ...good, ...change })).toEqual([expect.stringContaining(text)]);
});
