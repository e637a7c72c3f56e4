import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { headerNames, type EventReceipt, utcDate } from '@millrace/contracts';
import { FaultProxy, spawnService, type ServiceProcess, waitUntil } from '@millrace/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { patiently, post } from './http.ts';
import { recordedOffsets } from './landed.ts';
import { makePurchases } from './purchases.ts';
import { lake, stack } from './stack.ts';
import { endOffsets, readTopic } from './topic.ts';

let directory: string;
let proxy: FaultProxy;
let service: ServiceProcess;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'e2e-outbox-'));
  proxy = await FaultProxy.start({ protocol: 'kafka', target: stack.kafkaProxiedBrokers, port: stack.kafkaAdvertisedPort });
  service = await spawnService('purchase', { KAFKA_BROKERS: proxy.address, PURCHASE_OUTBOX_DIR: directory });
});
afterAll(async () => {
  await service?.kill();
  await proxy?.close();
  await rm(directory, { recursive: true, force: true });
});

async function buy(purchase: unknown): Promise<EventReceipt> {
  const { status, body } = await patiently(async () => await post<EventReceipt>(`${service.url}/v1/purchases`, purchase));
  expect(status).toBe(202);
  return body;
}

async function rowsOf(eventId: string, dt: string): Promise<number> {
  const files = await lake.objects(`${stack.table}/dt=${dt}/`);
  const rows = await Promise.all(files.map(async ({ key }) => await lake.rows(key)));
  return rows.flat().filter((row) => row['event_id'] === eventId).length;
}

it('an event that goes to both Kafka and the outbox after a lost answer is in the topic twice and is one row', async () => {
  const before = await endOffsets(stack.topic);
  const [purchase, later] = makePurchases(2).map((one) => ({ ...one, userId: 'buyer-in-doubt' }));
  const lost = await proxy.inject({ kind: 'swallow-answer' }, { when: { api: 'Produce' } });
  expect(await buy(purchase)).toMatchObject({ eventId: purchase!.eventId, durability: 'disk' });
  await lost.clear();
  await waitUntil('the outbox to be drained', async () => ((await buy(later)).durability === 'kafka' ? true : undefined), {
    timeoutMs: 60_000,
    everyMs: 250,
  });

  const ids = (await readTopic(stack.topic, before)).map(({ headers }) => headers[headerNames.id]);
  expect(ids.filter((id) => id === purchase!.eventId)).toHaveLength(2);
  const end = (await endOffsets(stack.topic)).reduce((sum, offset) => sum + offset, 0);
  await waitUntil('the sink to record both', async () => (await recordedOffsets(stack.table, stack.topic)) >= end, {
    timeoutMs: 120_000,
    everyMs: 250,
  });
  const dt = utcDate(purchase!.purchaseTimestamp);
  await waitUntil('the row to be published', async () => ((await rowsOf(purchase!.eventId, dt)) > 0 ? true : undefined), {
    timeoutMs: 60_000,
    everyMs: 250,
  });
  expect(await rowsOf(purchase!.eventId, dt)).toBe(1);
});
