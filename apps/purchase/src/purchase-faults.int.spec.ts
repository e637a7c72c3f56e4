import { setTimeout as delay } from 'node:timers/promises';
import { PipelineRegistry, type RunningService } from '@millrace/runtime';
import { FaultProxy, stackPart, TestTopic } from '@millrace/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { expectEachOnce, load, post, startPurchase, startReadyPurchase } from './testing/purchase-client.ts';
import { seedPurchase, seedText } from './testing/seed-purchase.ts';

const {
  KAFKA_BROKERS: brokers = '127.0.0.1:9092',
  KAFKA_PROXIED_BROKERS: proxied = '127.0.0.1:9094',
  KAFKA_ADVERTISED_PORT: advertised = '9095',
} = process.env;
const hasty = { PURCHASE_KAFKA_ANSWER_MS_MAX: '500', PURCHASE_KAFKA_ATTEMPT_TIMEOUT_MS: '4000', PURCHASE_KAFKA_RETRY_DELAY_MS: '50' };
let topic: TestTopic;
let proxy: FaultProxy;
let service: RunningService | undefined;

beforeEach(async () => {
  topic = await TestTopic.create('purchase-faults');
  proxy = await FaultProxy.start({ protocol: 'kafka', target: proxied, port: Number(advertised) });
});
afterEach(async () => {
  await service?.close();
  await proxy?.close();
  await topic?.delete();
  service = undefined;
});

/** Posts purchases of many buyers at once, so that a send carries several partitions. */
async function postMany(url: string, count: number): ReturnType<typeof load> {
  return await load(url, { count, clients: count });
}

describe('a Produce answer that is lost among requests in flight', () => {
  it.each([
    ['never comes', 'swallow-answer'],
    ['is cut off with its connection', 'apply-then-drop'],
  ] as const)('every purchase is acknowledged and written once, where its receipt says, when a Produce answer %s', async (_how, kind) => {
    service = await startReadyPurchase({ KAFKA_BROKERS: proxy.address, PURCHASE_TOPIC: topic.name, ...hasty });
    await postMany(service.url, 5);
    const faults = await proxy.inject({ kind }, { times: 3, when: { api: 'Produce' } });
    const rounds = [postMany(service.url, 20)];
    await faults.hit(1);
    // These requests arrive while one answer is missing. Two more answers will be missing.
    rounds.push(postMany(service.url, 20), postMany(service.url, 20));
    const results = await Promise.all(rounds);
    expect(faults.hits).toBe(3);
    expect(results.flatMap(({ refused }) => refused)).toEqual([]);
    const messages = await topic.messages();
    expect(messages).toHaveLength(65);
    expectEachOnce(
      results.flatMap(({ receipts }) => receipts),
      messages,
    );
  });

  it('Produce answers that are lost until the send times out leave its purchases in doubt, and no later one', async () => {
    service = await startReadyPurchase({
      KAFKA_BROKERS: proxy.address,
      PURCHASE_TOPIC: topic.name,
      ...hasty,
      PURCHASE_KAFKA_ATTEMPT_TIMEOUT_MS: '1200',
    });
    const { receipts } = await postMany(service.url, 5);
    const fault = await proxy.inject({ kind: 'swallow-answer' }, { when: { api: 'Produce' } });
    const doubtful = postMany(service.url, 10);
    await fault.hit(2);
    const inDoubt = await doubtful;
    expect([inDoubt.receipts, inDoubt.refused.length]).toEqual([[], 10]);
    await fault.clear();
    await expect.poll(async () => (await post(service!.url, seedPurchase({ userId: 'later' }))).status, { timeout: 20_000 }).toBe(202);
    const later = await postMany(service.url, 20);
    expect(later.refused).toEqual([]);
    expectEachOnce([...receipts, ...later.receipts], await topic.messages());
  });
});

describe('a frozen Kafka, which accepts connections and answers nothing', () => {
  it('every purchase gets 503 with Retry-After while Kafka is frozen; the circuit opens after two calls that waited', async () => {
    // With default settings, because the test is about their limits.
    service = await startReadyPurchase({ KAFKA_BROKERS: proxy.address, PURCHASE_TOPIC: topic.name });
    expect((await post(service.url, seedText)).status).toBe(202);
    const kafka = service.app.get(PipelineRegistry).get('kafka');
    const before = kafka.snapshot().totals.attempts;
    const frozen = await proxy.inject({ kind: 'black-hole' });
    const answers = [];
    for (let n = 0; n < 20; n += 1) answers.push(await post(service.url, seedPurchase({ userId: `user-${n}` })));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 503));
    expect(answers.filter(({ headers }) => headers.get('retry-after') === null)).toEqual([]);
    // Two or three calls: the write of the first purchase, the attempt to connect that the second one waited for, and perhaps one more
    // attempt.
    const attempts = kafka.snapshot().totals.attempts - before;
    expect([attempts >= 2, attempts <= 3]).toEqual([true, true]);
    await expect.poll(() => kafka.snapshot().breaker?.state, { timeout: 30_000 }).toBe('open');
    await frozen.clear();
    await expect.poll(async () => (await post(service!.url, seedText)).status, { timeout: 30_000 }).toBe(202);
  });
});

describe('the service without Kafka', () => {
  it('the service starts without Kafka, reports it, refuses at once with Retry-After, and recovers with Kafka', async () => {
    const away = await proxy.inject({ kind: 'refuse' });
    service = await startPurchase({ KAFKA_BROKERS: proxy.address, PURCHASE_TOPIC: topic.name });
    expect((await fetch(`${service.url}/health/live`)).status).toBe(200);
    await expect
      .poll(async () => (await fetch(`${service!.url}/health/ready`)).json(), { timeout: 10_000 })
      .toMatchObject({
        status: 'unavailable',
        dependencies: [{ name: 'circuit-kafka' }, { name: 'circuit-topic-reads' }, { name: 'kafka', status: 'down' }],
      });
    const refused = await post(service.url, seedText);
    expect([refused.status, refused.headers.get('retry-after'), refused.body.type]).toEqual([503, '2', 'urn:millrace:problem:unavailable']);
    const batch = await post(service.url, [seedPurchase(), { title: 1 }], { path: '/v1/purchases/batch' });
    expect([batch.status, batch.headers.get('retry-after'), batch.body.items.map((item) => item.status)]).toEqual([503, '2', [503, 400]]);
    await away.clear();
    await expect.poll(async () => (await post(service!.url, seedText)).status, { timeout: 20_000 }).toBe(202);
    await expect.poll(async () => (await fetch(`${service!.url}/health/ready`)).status, { timeout: 10_000 }).toBe(200);
  });

  it(
    'after a kill -9 of Kafka under load, the topic has each acknowledged purchase once, and the service recovers',
    { timeout: 240_000 },
    async () => {
      const kafka = stackPart('kafka');
      service = await startReadyPurchase({ KAFKA_BROKERS: brokers, PURCHASE_TOPIC: topic.name, ...hasty });
      const { url } = service;
      const stop = new AbortController();
      const loading = load(url, { count: 20_000, until: stop.signal });
      await expect
        .poll(async () => (await fetch(`${url}/metrics`)).text(), { timeout: 30_000 })
        .toMatch(/events_published_total\{[^}]*\} [1-9]\d\d/);
      await kafka.signal('SIGKILL');
      // Long enough for the send in flight to be given up.
      await delay(5000);
      expect((await post(url, seedText)).status).toBe(503);
      stop.abort();
      const { receipts, unanswered } = await loading;
      await kafka.start();
      await expect.poll(async () => (await post(url, seedText)).status, { timeout: 30_000, interval: 250 }).toBe(202);
      const after = await load(url, { count: 200 });
      expect([receipts.length > 100, unanswered, after.receipts.length]).toEqual([true, 0, 200]);
      expectEachOnce([...receipts, ...after.receipts], await topic.messages());
    },
  );
});
