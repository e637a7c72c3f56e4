import { randomUUID } from 'node:crypto';
import type { EventReceipt, EventWay } from '@millrace/contracts';
import { DocumentCheck } from '@millrace/contracts/testing';
import { ownEnv, PlantedLake } from '@millrace/operations/testing';
import type { RunningService } from '@millrace/runtime';
import { FaultProxy, TestTopic } from '@millrace/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { post, startReadyPurchase } from '../testing/purchase-client.ts';
import { seedPurchase } from '../testing/seed-purchase.ts';

const at = 1_575_121_641;
const { AWS_ENDPOINT_URL: aws = 'http://127.0.0.1:4566' } = process.env;
let topic: TestTopic;
let lake: PlantedLake;
let proxy: FaultProxy;
let service: RunningService;
let check: DocumentCheck;

beforeAll(async () => {
  topic = await TestTopic.create('purchase-follow');
  proxy = await FaultProxy.start({ protocol: 'tcp', target: new URL(aws).host });
  const env: Record<string, string> = { ...ownEnv(), SINK_TOPIC: topic.name };
  lake = await PlantedLake.open(env);
  // The SDK of this process reads the endpoint of S3 from its environment.
  process.env['AWS_ENDPOINT_URL_S3'] = `http://${proxy.address}`;
  service = await startReadyPurchase({
    KAFKA_BROKERS: process.env['KAFKA_BROKERS'] ?? '127.0.0.1:9092',
    PURCHASE_TOPIC: topic.name,
    LAKE_BUCKET: env['LAKE_BUCKET']!,
    LAKE_DATABASE: env['LAKE_DATABASE']!,
  });
  check = await DocumentCheck.of(service.url);
});
afterAll(async () => {
  delete process.env['AWS_ENDPOINT_URL_S3'];
  await service?.close();
  lake?.close();
  await proxy?.close();
  await topic?.delete();
});

/** Follows by a path, and checks the answer against the document. */
async function follow(path: string): Promise<{ status: number; body: EventWay & { detail?: string } }> {
  const response = await fetch(service.url + path);
  const text = await response.text();
  const { status } = response;
  const pathname = path.replace(/\?.*/, '');
  expect(
    check.answerFaults({ method: 'GET', path: pathname, status, contentType: response.headers.get('content-type'), body: text }),
  ).toEqual([]);
  return { status, body: JSON.parse(text) as EventWay };
}

/** Posts purchases of one user, who has one partition. */
async function buy(...ids: readonly string[]): Promise<readonly (EventReceipt & { durability: 'kafka' })[]> {
  const receipts: EventReceipt[] = [];
  for (const eventId of ids) receipts.push((await post(service.url, seedPurchase({ eventId, purchaseTimestamp: at }))).body);
  return receipts as (EventReceipt & { durability: 'kafka' })[];
}

describe('GET /v1/purchases/{eventId}', () => {
  it('the route follows events to their rows, names the row of a duplicate, and gives a partial answer without S3', async () => {
    const [id, other] = [randomUUID(), randomUUID()];
    const [first, second, repeated] = await buy(id, other, id);
    expect(first!.links.self).toBe(`/v1/purchases/${id}?partition=${first!.partition}&offset=0`);
    expect((await follow(first!.links.self)).body).toMatchObject({
      status: 'in-kafka',
      kafka: { offset: '0', confirmed: true },
      unknown: [],
    });

    await lake.land(first!.partition, [
      { eventId: id, at },
      { eventId: other, at },
      { eventId: id, at, fate: 'dropped' },
    ]);
    const way = (await follow(first!.links.self)).body;
    expect(way).toMatchObject({ status: 'queryable', landed: { from: '0', to: '3', dt: '2019-11-30' }, unknown: [] });
    const times = [way.kafka!.at, way.landed!.at, way.queryable!.at].map((time) => Date.parse(time!));
    // S3 knows whole seconds only.
    expect(times[0]! - 1000).toBeLessThanOrEqual(times[1]!);
    expect(times[1]!).toBeLessThanOrEqual(times[2]!);
    expect((await follow(repeated!.links.self)).body).toMatchObject({
      status: 'duplicate',
      kafka: { offset: '2' },
      row: { partition: first!.partition, offset: '0' },
      queryable: { table: 'purchases' },
      unknown: [],
    });
    // Without its place, and by the place of another event.
    expect((await follow(`/v1/purchases/${other.toUpperCase()}`)).body).toMatchObject({ status: 'queryable', kafka: { offset: '1' } });
    expect((await follow(`/v1/purchases/${other}?partition=${second!.partition}&offset=0`)).body).toMatchObject({ kafka: { offset: '1' } });

    const away = await proxy.inject({ kind: 'refuse' });
    expect((await follow(first!.links.self)).body).toMatchObject({
      status: 'in-kafka',
      unknown: [{ step: 'landed' }, { step: 'queryable' }],
    });
    await away.clear();
  });

  it('the route finds an event by the time in its id, and names the searched records for an unknown event', async () => {
    const { eventId } = (await post(service.url, seedPurchase({ eventId: undefined }))).body;
    expect((await follow(`/v1/purchases/${eventId}`)).body).toMatchObject({ status: 'in-kafka', eventId });
    const { status, body } = await follow(`/v1/purchases/${randomUUID()}`);
    expect([status, body.detail]).toEqual([
      404,
      expect.stringMatching(/^No event with this id was found: \d+ records of the topic were read/),
    ]);
    expect((await follow('/v1/purchases/17')).status).toBe(400);
    expect((await follow(`/v1/purchases/${eventId}?partition=1`)).status).toBe(400);
  });
});
