import { expect, it } from 'vitest';
import { compare } from '../proof/compare.ts';
import { AnswerTally } from './answer-tally.ts';
import { loadFailures, type LoadFigures } from './load-failures.ts';

const verdictOf = (numbers: readonly number[]) =>
  compare({
    log: [[0, 1, 2]],
    files: new Map([['file', numbers.map((number) => ({ number, partition: 0, offset: number }))]]),
    isAcknowledged: () => true,
    sent: 3,
  });
const period = { kafka: 9, disk: 9, refused: 1, unanswered: 1, p50Ms: 2, p99Ms: 250 };
const good: LoadFigures = {
  sent: 3,
  ratePerSecond: 100,
  outages: period,
  rest: { ...period, p99Ms: 2000 },
  breaches: { count: 0, named: [] },
  swallowed: 2,
  waiting: 0,
  verdict: verdictOf([0, 1, 2]),
  repeated: 0,
  disorder: { count: 0, named: [] },
};

it('a load that meets every requirement is not a failure', () => {
  expect(loadFailures(good)).toEqual([]);
});

it.each<readonly [string, Partial<LoadFigures>, string]>([
  ['an acknowledged purchase that is not in the table', { verdict: verdictOf([0, 1]) }, 'purchases were lost, duplicated or unexplained'],
  ['a purchase without a receipt', { sent: 4 }, '1 purchases were sent and not acknowledged'],
  [
    'two purchases in the wrong order',
    { disorder: { count: 1, named: ['event 0 is behind event 1'] } },
    '1 purchases of a buyer are in the topic in the wrong order: event 0 is behind event 1',
  ],
  ['an answer that is not allowed', { breaches: { count: 2, named: ['status 500'] } }, '2 answers are not allowed: status 500'],
  ['an outage without the outbox', { outages: { ...period, disk: 0 } }, 'no purchase was acknowledged from disk while Kafka was down'],
  ['no lost answer', { swallowed: 0 }, 'no Produce answer was swallowed'],
  ['slow answers in an outage', { outages: { ...period, p99Ms: 251 } }, 'p99 of the answers while Kafka was down was 251 ms, above 250 ms'],
  ['an outbox that is not empty', { waiting: 5 }, '5 events were still in the outbox at the end'],
])('%s is a failure', (_, flaw, failure) => {
  expect(loadFailures({ ...good, ...flaw })).toEqual([failure]);
});

it('the tally of several periods is their sum', () => {
  const [one, two] = [new AnswerTally(), new AnswerTally()];
  const answer = { retryAfter: undefined, durability: 'kafka', isServiceDown: false };
  one.add({ ...answer, status: 202, tookMs: 1 });
  two.add({ ...answer, status: 500, tookMs: 3 });
  expect(AnswerTally.of([one, two])).toMatchObject({ kafka: 1, breaches: { count: 1, named: ['status 500'] } });
  expect(AnswerTally.of([one, two]).quantileMs(1)).toBe(3);
});
