import { describe, expect, it } from 'vitest';
import { compare } from '../proof/compare.ts';
import { AnswerTally } from './answer-tally.ts';
import { findDisorder } from './key-order.ts';
import { kafkaOutageFailures, type KafkaOutageFigures } from './kafka-outage-failures.ts';

const none = { count: 0, named: [] };
const log = [[0, 1, 2]];
const rowsOf = (numbers: readonly number[]) => new Map([['file', numbers.map((number) => ({ number, partition: 0, offset: number }))]]);
const verdictOf = (numbers: readonly number[]) => compare({ log, files: rowsOf(numbers), isAcknowledged: () => true, sent: 3 });

const good: KafkaOutageFigures = {
  sent: 3,
  rateAsked: 100,
  ratePerSecond: 95,
  answers: { disk: 2000, kafka: 2, underWay: 2, refused: 5, unanswered: 9, p50Ms: 2, p99Ms: 250 },
  breaches: none,
  serviceAwayMs: 2000,
  rssMb: [{ first: 100, last: 125, max: 130 }],
  backlog: { events: 3, bytes: 100 },
  drainedMs: 20_000,
  drainPerSecond: 300,
  liveRatePerSecond: 100,
  verdict: verdictOf([0, 1, 2]),
  repeated: 0,
  disorder: none,
};

describe('kafkaOutageFailures', () => {
  it('an outage that meets every requirement is not a failure', () => {
    expect(kafkaOutageFailures(good)).toEqual([]);
  });

  it('an outage with an acknowledged purchase missing in the table is a failure', () => {
    expect(kafkaOutageFailures({ ...good, verdict: verdictOf([0, 2]) })).toEqual(['purchases were lost, duplicated or unexplained']);
  });

  it('an outage with two purchases of a buyer in the wrong order is a failure', () => {
    const disorder = findDisorder([[1, 0]], () => 0, { sent: (number) => 2 * number, acknowledged: (number) => 2 * number + 1 });
    expect(kafkaOutageFailures({ ...good, disorder })).toEqual([
      '1 purchases of a buyer are in the topic in the wrong order: event 0 is behind event 1 at offset 1 of partition 0',
    ]);
  });

  it.each<readonly [string, Partial<KafkaOutageFigures>, string]>([
    ['a purchase without a receipt', { sent: 4 }, '1 purchases were sent and not acknowledged'],
    [
      'fewer purchases than asked for',
      { ratePerSecond: 94 },
      '94 purchases a second were acknowledged while Kafka was down, 100 were requested',
    ],
    [
      'purchases that Kafka took',
      { answers: { ...good.answers, kafka: 3 } },
      '2000 purchases were acknowledged from disk while Kafka was down, 3 from Kafka',
    ],
    ['slow answers', { answers: { ...good.answers, p99Ms: 251 } }, 'p99 of the answers was 251 ms, above 250 ms'],
    ['memory that grows', { rssMb: [...good.rssMb, { first: 100, last: 126, max: 126 }] }, "the service's memory grew from 100 to 126 MB"],
    ['a drain that does not end', { drainedMs: Infinity }, 'the outbox was not empty 180 s after Kafka was back'],
    ['a slow drain', { drainPerSecond: 299 }, 'the drain published 299 events a second, less than 3 times the 100 of live traffic'],
    ['an answer that is not allowed', { breaches: { count: 1, named: ['status 500'] } }, '1 answers are not allowed: status 500'],
  ])('an outage with %s is a failure', (_, flaw, failure) => {
    expect(kafkaOutageFailures({ ...good, ...flaw })).toEqual([failure]);
  });
});

describe('AnswerTally', () => {
  const answer = { status: 202, retryAfter: undefined, durability: 'disk', tookMs: 1, isServiceDown: false };

  it.each([
    ['a status other than 202, 429 and 503', { ...answer, status: 500 }, 'status 500'],
    ['a refusal without Retry-After', { ...answer, status: 503 }, '503 without Retry-After'],
    ['a receipt without its durability', { ...answer, durability: undefined }, '202 with durability "undefined"'],
    ['a missing answer while the service runs', { ...answer, status: undefined }, 'no answer while the service ran'],
  ])('%s is a breach', (_, seen, named) => {
    const tally = new AnswerTally();
    tally.add(seen);
    expect(tally.breaches).toEqual({ count: 1, named: [named] });
  });

  it('receipts, refusals with Retry-After, and missing answers while the service is down are not breaches', () => {
    const tally = new AnswerTally();
    tally.add(answer);
    tally.add({ ...answer, status: 429, retryAfter: '1', tookMs: 9 });
    tally.add({ ...answer, status: undefined, isServiceDown: true, tookMs: 99 });
    expect(tally).toMatchObject({ disk: 1, kafka: 0, refused: 1, unanswered: 1, breaches: none });
    expect([tally.quantileMs(0.5), tally.quantileMs(0.99)]).toEqual([1, 9]);
  });
});
