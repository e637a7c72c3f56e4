import { randomUUID } from 'node:crypto';
import kafkajs from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTopic } from '../kafka/topic-messages.ts';
import { FaultProxy } from './fault-proxy.ts';

const { KAFKA_BROKERS = '', KAFKA_PROXIED_BROKERS = '', KAFKA_ADVERTISED_PORT = '' } = process.env;
const topic = `fault-proxy-${randomUUID().slice(0, 8)}`;
const direct = new kafkajs.Kafka({ brokers: KAFKA_BROKERS.split(','), logLevel: kafkajs.logLevel.NOTHING });
const admin = direct.admin();
let proxy: FaultProxy;

beforeAll(async () => {
  await admin.connect();
  await createTopic(admin, { topic, partitions: 1 });
  proxy = await FaultProxy.start({ protocol: 'kafka', target: KAFKA_PROXIED_BROKERS, port: Number(KAFKA_ADVERTISED_PORT) });
});

afterAll(async () => {
  await proxy?.close();
  await admin.deleteTopics({ topics: [topic] });
  await admin.disconnect();
});

async function end(): Promise<number> {
  const [partition] = await admin.fetchTopicOffsets(topic);
  return Number(partition!.high);
}

/** A producer behind the proxy that sends everything once. */
async function send(value: string): Promise<void> {
  const kafka = new kafkajs.Kafka({
    brokers: [proxy.address],
    logLevel: kafkajs.logLevel.NOTHING,
    requestTimeout: 1000,
    retry: { retries: 0 },
  });
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  await producer.connect();
  try {
    await producer.send({ topic, messages: [{ value }] });
  } finally {
    await producer.disconnect();
  }
}

describe('a fault proxy for Kafka', () => {
  it('the proxy relays a client of the second listener', async () => {
    await send('one');
    expect(await end()).toBe(1);
    expect(proxy.counts.seen).toBeGreaterThan(2);
    expect(proxy.counts.inFlight).toBe(0);
  });

  it('the fault swallow-answer hides one Produce answer: the topic has the message, but the sender times out', async () => {
    const before = await end();
    const fault = await proxy.inject({ kind: 'swallow-answer' }, { times: 1, when: { api: 'Produce' } });
    await expect(send('two')).rejects.toThrow(/timed out/i);
    expect([fault.hits, await end()]).toEqual([1, before + 1]);
  });

  it('the fault apply-then-drop closes the connection instead of a Produce answer', async () => {
    const before = await end();
    const fault = await proxy.inject({ kind: 'apply-then-drop' }, { times: 1, when: { api: 'Produce' } });
    await expect(send('three')).rejects.toMatchObject({ name: expect.stringContaining('KafkaJS') as string });
    expect([fault.hits, await end()]).toEqual([1, before + 1]);
  });

  it('the fault reset closes the connection before a Produce request arrives: the topic has no message', async () => {
    const before = await end();
    await proxy.inject({ kind: 'reset' }, { times: 1, when: { api: 'Produce' } });
    await expect(send('never')).rejects.toMatchObject({ name: expect.stringContaining('KafkaJS') as string });
    expect(await end()).toBe(before);
    await send('four');
    expect(await end()).toBe(before + 1);
  });
});
