import { expect, it } from 'vitest';
import { failuresOf, type SecuredFlowFigures } from './secured-flows.ts';

const nothing = { count: 0, named: [] };
const clean = { acknowledged: 10, logRecords: 10, rows: 10, files: 1, lost: nothing, duplicated: nothing, unexplained: nothing };
const good: SecuredFlowFigures = { login: 'scram', verdict: clean, failedRequests: 0, consumerCrashes: 0 };

it('a proof passes when every event is counted once, no request failed and tokens were renewed in both processes', () => {
  expect(failuresOf([good], 30, 300_000)).toEqual([]);
});

it('a proof names each requirement that was not met', () => {
  const bad = { login: 'mtls', verdict: { ...clean, lost: { count: 1, named: ['event 1'] } }, failedRequests: 2, consumerCrashes: 1 };
  expect(failuresOf([good, bad], 29, 300_000)).toEqual([
    'mtls: events were lost, doubled or unexplained',
    'mtls: 2 requests failed',
    'mtls: the consumer crashed 1 times',
    'only 29 tokens were fetched',
  ]);
});
