import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pythonEnvironment, spawnService, TestTopic, waitUntil, type ServiceProcess, withoutShedding } from '@millrace/testing';
import { Kafka as KafkaBinding, type CloudEvent, type KafkaMessage } from 'cloudevents';
import kafkajs from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ExampleProcess } from './testing/example-process.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const node = join(root, 'node_modules', '.bin', 'node');
const built = (path: string): string => join(root, 'examples', 'dist', path);
const brokers = process.env['KAFKA_BROKERS'] ?? '127.0.0.1:9092';

let topic: TestTopic;
let purchase: ServiceProcess;
let python: string;

beforeAll(async () => {
  [topic, python] = await Promise.all([
    TestTopic.create('examples'),
    pythonEnvironment('examples-venv', 'examples/python/requirements.txt'),
  ]);
  purchase = await spawnService('purchase', {
    KAFKA_BROKERS: brokers,
    PURCHASE_TOPIC: topic.name,
    ...withoutShedding('PURCHASE'),
  });
});
afterAll(async () => {
  await purchase?.kill();
  await topic?.delete();
});

/** Posts purchases of several buyers and returns their ids, in order. Purchases that a busy machine refuses are posted again. */
async function postPurchases(count: number): Promise<string[]> {
  const purchases = Array.from({ length: count }, (_, n) => ({
    eventId: randomUUID(),
    bookId: 'ec437d98-455d-4fec-8dbe-2c2630454bdd',
    title: 'Orlando',
    author: 'Virginia Woolf',
    genre: 'Fiction',
    userId: `user-${n % 5}`,
    userCountry: 'GB',
    userAge: 24,
    purchaseTimestamp: 1_575_121_641 + n,
  }));
  let left = purchases;
  await waitUntil(
    'every purchase to be accepted',
    async () => {
      const answer = await fetch(`${purchase.url}/v1/purchases/batch`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(left),
      });
      const { items } = (await answer.json()) as { items: { status: number }[] };
      left = left.filter((_, n) => items[n]!.status !== 202);
      return left.length === 0 ? true : undefined;
    },
    { timeoutMs: 30_000, everyMs: 500 },
  );
  return purchases.map(({ eventId }) => eventId);
}

/** Writes records that are not purchases, as a foreign producer could, to every partition. */
async function writeBadRecords(): Promise<void> {
  const producer = new kafkajs.Kafka({ brokers: brokers.split(','), logLevel: kafkajs.logLevel.NOTHING }).producer();
  await producer.connect();
  await producer.send({
    topic: topic.name,
    messages: ['{"title": "Orlando"}', 'no JSON'].map((value, partition) => ({ value, partition })),
  });
  await producer.disconnect();
}

function start(command: string, args: readonly string[], groupId: string): ExampleProcess {
  return new ExampleProcess(command, args, { KAFKA_BROKERS: brokers, TOPIC: topic.name, GROUP_ID: groupId });
}

/** Lines that report a record; a client may print others. */
function reported({ errors }: ExampleProcess): string[] {
  return errors.filter((line) => line.startsWith(`${topic.name}/`));
}

const examples = [
  ['a NestJS microservice', () => [node, built('nest/main.js')]],
  ['plain kafkajs', () => [node, built('kafkajs/main.js')]],
  ['Python', () => [python, join(root, 'examples', 'python', 'consumer.py')]],
] as const;

describe('examples', () => {
  it('each example prints every purchase, reports invalid records, stops cleanly on SIGTERM and resumes where it stopped', async () => {
    const first = await postPurchases(20);
    await writeBadRecords();
    const commands = examples.map(([name, command]) => {
      const [program, ...args] = command();
      return { name, begin: () => start(program!, args, `${topic.name}-${name.replaceAll(' ', '-')}`) };
    });
    const before = commands.map(({ begin }) => begin());
    await Promise.all(before.map(async (example) => await example.waitForEvents(20)));
    await Promise.all(before.map(async (example) => await expect.poll(() => reported(example)).toHaveLength(2)));
    expect(await Promise.all(before.map(async (example) => await example.stop()))).toEqual([0, 0, 0]);

    const second = await postPurchases(5);
    const after = commands.map(({ begin }) => begin());
    await Promise.all(after.map(async (example) => await example.waitForEvents(5)));
    expect(await Promise.all(after.map(async (example) => await example.stop()))).toEqual([0, 0, 0]);

    for (const [n, { name }] of commands.entries()) {
      expect([name, before[n]!.events.map(({ id }) => id).toSorted()]).toEqual([name, first.toSorted()]);
      expect([name, after[n]!.events.map(({ id }) => id).toSorted()]).toEqual([name, second.toSorted()]);
      expect(reported(before[n]!)).toHaveLength(2);
      expect(before[n]!.events.find(({ id }) => id === first[7])).toEqual({
        id: first[7],
        type: 'com.millrace.bookstore.purchase.v1',
        source: '/millrace/purchase',
        time: '2019-11-30T13:47:28.000Z',
        partition: expect.any(Number) as number,
        offset: expect.stringMatching(/^\d+$/) as string,
        data: {
          eventId: first[7],
          bookId: 'ec437d98-455d-4fec-8dbe-2c2630454bdd',
          title: 'Orlando',
          author: 'Virginia Woolf',
          genre: 'Fiction',
          userId: 'user-2',
          userCountry: 'GB',
          userAge: 24,
          purchaseTimestamp: 1_575_121_648,
        },
      });
      // Events of one buyer keep their order.
      for (const buyer of ['user-0', 'user-1', 'user-2', 'user-3', 'user-4']) {
        const times = before[n]!.events.filter(({ data }) => data['userId'] === buyer).map(({ data }) => data['purchaseTimestamp']);
        expect(times).toEqual(times.toSorted((a, b) => Number(a) - Number(b)));
      }
    }
  });
});

describe('a record of the purchase API', () => {
  it('the CloudEvents SDK reads the record as a CloudEvent in binary mode', async () => {
    const [id] = await postPurchases(1);
    const message = (await topic.messages()).find(({ headers }) => headers['ce_id'] === id)!;
    const { headers, key, value } = message;
    const record: KafkaMessage<string> = { headers: { ...headers }, key: key!, value, body: value };
    const event = KafkaBinding.toEvent(record) as CloudEvent<unknown>;
    expect(event.validate()).toBe(true);
    expect(event.data).toEqual(JSON.parse(value));
    expect(event).toMatchObject({
      id,
      specversion: '1.0',
      type: 'com.millrace.bookstore.purchase.v1',
      source: '/millrace/purchase',
      time: '2019-11-30T13:47:21.000Z',
      datacontenttype: 'application/json',
    });
  });
});
