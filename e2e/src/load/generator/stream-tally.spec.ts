import { expect, it } from 'vitest';
import { StreamTally } from './stream-tally.ts';

it('a request counts in the interval in which it was due, and its time begins there', () => {
  const tally = new StreamTally(3);
  tally.send(100);
  tally.send(1200);
  tally.drop(1300);
  tally.end(100, 'accepted', 2400);
  tally.end(1200, 'shed', 3);
  expect(tally.points(60)).toEqual([
    { second: 60, due: 1, accepted: 1, shed: 0, failed: 0, dropped: 0, p99Ms: 2400 },
    { second: 61, due: 2, accepted: 0, shed: 1, failed: 0, dropped: 1, p99Ms: undefined },
  ]);
});

it('the totals have quantiles of accepted requests only', () => {
  const tally = new StreamTally(3);
  for (const [outcome, tookMs] of [
    ['accepted', 10],
    ['shed', 1],
    ['failed', 9000],
  ] as const) {
    tally.send(0);
    tally.end(0, outcome, tookMs);
  }
  const { p50Ms, p99Ms, ...counts } = tally.totals;
  expect(counts).toMatchObject({ planned: 3, sent: 3, accepted: 1, shed: 1, failed: 1, dropped: 0 });
  expect([p50Ms, p99Ms].map((ms) => Math.round(ms!))).toEqual([10, 10]);
});

it('a stream without an accepted request has no quantiles', () => {
  expect(new StreamTally(3).totals).toMatchObject({ planned: 3, sent: 0, p50Ms: undefined, p99Ms: undefined, maxMs: undefined });
});
