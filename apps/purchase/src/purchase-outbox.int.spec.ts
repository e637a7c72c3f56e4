import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AcceptedItem, EventReceipt, EventWay } from '@millrace/contracts';
import type { RunningService } from '@millrace/runtime';
import { FaultProxy, type ServiceProcess, spawnService, stackPart, type TopicMessage, TestTopic } from '@millrace/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { load, post, startPurchase, startReadyPurchase } from './testing/purchase-client.ts';
import { seedPurchase } from './testing/seed-purchase.ts';

const {
  KAFKA_BROKERS: brokers = '127.0.0.1:9092',
  KAFKA_PROXIED_BROKERS: proxied = '127.0.0.1:9094',
  KAFKA_ADVERTISED_PORT: advertised = '9095',
} = process.env;
const hasty = { PURCHASE_KAFKA_ANSWER_MS_MAX: '500', PURCHASE_KAFKA_ATTEMPT_TIMEOUT_MS: '1500', PURCHASE_KAFKA_RETRY_DELAY_MS: '50' };
let topic: TestTopic;
let directory: string;
let service: RunningService | undefined;
let proxy: FaultProxy | undefined;
const processes: ServiceProcess[] = [];

beforeEach(async () => {
  topic = await TestTopic.create('purchase-outbox');
  directory = await mkdtemp(join(tmpdir(), 'purchase-outbox-'));
});
afterEach(async () => {
  await service?.close();
  await Promise.all(processes.splice(0).map(async (process) => await process.kill('SIGKILL')));
  await proxy?.close();
  await topic.delete();
  await rm(directory, { recursive: true, force: true });
  [service, proxy] = [undefined, undefined];
});

async function startProxy(): Promise<FaultProxy> {
  proxy = await FaultProxy.start({ protocol: 'kafka', target: proxied, port: Number(advertised) });
  return proxy;
}

function env(kafka: string): Record<string, string> {
  return { KAFKA_BROKERS: kafka, PURCHASE_TOPIC: topic.name, PURCHASE_OUTBOX_DIR: directory, ...hasty };
}

/** Posts the purchases of one user one after the other. */
async function buyInOrder(url: string, count: number): Promise<readonly EventReceipt[]> {
  const receipts: EventReceipt[] = [];
  for (let number = 0; number < count; number += 1) {
    const { status, body } = await post(url, seedPurchase());
    expect(status).toBe(202);
    receipts.push(body);
  }
  return receipts;
}

async function wayOf(url: string, { links }: EventReceipt): Promise<EventWay> {
  return (await (await fetch(url + links.self)).json()) as EventWay;
}

/** Waits until the service answers from Kafka again: the outbox of the user's partition is drained then. */
async function drained(url: string): Promise<EventReceipt> {
  await expect.poll(async () => (await post(url, seedPurchase())).body.durability, { timeout: 60_000, interval: 250 }).toBe('kafka');
  return (await post(url, seedPurchase())).body;
}

async function idsInTopic(): Promise<string[]> {
  return (await topic.messages()).map(idOf);
}

function idOf({ headers }: TopicMessage): string {
  return headers['ce_id']!;
}

describe('the outbox', () => {
  it('a degraded service acknowledges purchases from disk while Kafka is down, and the topic has them in order later', async () => {
    const away = await (await startProxy()).inject({ kind: 'refuse' });
    service = await startPurchase(env(proxy!.address));
    const { url } = service;
    await expect
      .poll(async () => (await (await fetch(`${url}/health/ready`)).json()) as object, { timeout: 20_000 })
      .toMatchObject({ status: 'degraded' });
    const receipts = await buyInOrder(url, 20);
    expect(receipts.map(({ durability }) => durability)).toEqual(receipts.map(() => 'disk'));
    expect(Object.keys(receipts[0]!)).toEqual(['eventId', 'durability', 'links']);
    // Only the disk has the event, and Kafka cannot be asked.
    expect(await wayOf(url, receipts[0]!)).toMatchObject({ status: 'on-disk', disk: { waiting: true }, eventId: receipts[0]!.eventId });
    expect((await fetch(`${url}/v1/purchases/01a21102-d4f6-73ec-9b7c-538bae2b2eb0`)).status).toBe(503);
    const batch = await post(url, [seedPurchase(), { title: 1 }], { path: '/v1/purchases/batch' });
    expect(batch.body).toMatchObject({ accepted: 1, items: [{ status: 202, durability: 'disk' }, { status: 400 }] });
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toMatch(/millrace_purchase_outbox_events\{[^}]*\} 21\n/);
    // An event that waits on disk is not a rejected one; the second item of the batch is.
    expect(metrics.match(/events_rejected_total\{.*/g)?.join()).toMatch(/^events_rejected_total\{[^}]*reason="invalid"[^}]*\} 1$/);
    await away.clear();
    await drained(url);
    const expected = [...receipts, batch.body.items[0] as AcceptedItem].map(({ eventId }) => eventId);
    expect((await idsInTopic()).slice(0, expected.length)).toEqual(expected);
    // The receipt of the disk names no place: the service finds the event around the time in its id.
    expect(await wayOf(url, receipts[0]!)).toMatchObject({
      status: 'in-kafka',
      kafka: { topic: topic.name, offset: '0', confirmed: true },
    });
    expect(await (await fetch(`${url}/metrics`)).text()).toMatch(/millrace_purchase_outbox_bytes\{[^}]*\} 0\n/);
  });

  it('a send without an outcome goes to the disk, and its events may be in the topic twice, with one id', async () => {
    service = await startReadyPurchase(env((await startProxy()).address));
    const { url } = service;
    const lost = await proxy!.inject({ kind: 'swallow-answer' }, { when: { api: 'Produce' } });
    const { body } = await post(url, seedPurchase());
    expect(body.durability).toBe('disk');
    await lost.clear();
    await drained(url);
    const ids = (await idsInTopic()).filter((id) => id === body.eventId);
    expect(ids).toEqual([body.eventId, body.eventId]);
  });
});

describe('a kill -9 of Kafka and of the service', () => {
  it('a kill -9 of Kafka and of the service under load loses no acknowledged purchase', { timeout: 300_000 }, async () => {
    const kafka = stackPart('kafka');
    const first = await spawnService('purchase', env(brokers));
    processes.push(first);
    const stop = new AbortController();
    const loading = load(first.url, { count: 20_000, clients: 8, until: stop.signal });
    await expect
      .poll(async () => await (await fetch(`${first.url}/metrics`)).text(), { timeout: 60_000 })
      .toMatch(/events_published_total\{[^}]*\} [1-9]\d\d/);
    await kafka.signal('SIGKILL');
    await expect
      .poll(async () => await (await fetch(`${first.url}/metrics`)).text(), { timeout: 60_000 })
      .toMatch(/outbox_queued_total\{[^}]*\} [1-9]\d\d/);
    await first.kill('SIGKILL');
    stop.abort();
    const { receipts } = await loading;
    const onDisk = receipts.filter(({ durability }) => durability === 'disk');
    expect([receipts.length > onDisk.length, onDisk.length > 100]).toEqual([true, true]);

    const second = await spawnService('purchase', env(brokers), { until: 'live' });
    processes.push(second);
    await kafka.start();
    await drained(second.url);
    await expect
      .poll(async () => await (await fetch(`${second.url}/metrics`)).text(), { timeout: 60_000 })
      .toMatch(/millrace_purchase_outbox_events\{[^}]*\} 0\n/);
    const ids = new Set(await idsInTopic());
    expect(receipts.filter(({ eventId }) => !ids.has(eventId))).toEqual([]);
  });
});

describe('a second instance', () => {
  it('a second instance does not start on the outbox of the first one', async () => {
    processes.push(await spawnService('purchase', env(brokers)));
    await expect(spawnService('purchase', env(brokers))).rejects.toThrow('Another process uses the outbox directory');
  });
});
