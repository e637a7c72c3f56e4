import { randomUUID } from 'node:crypto';
import { purchases, type RedriveAnswer, type RejectDetail, type RejectList } from '@millrace/contracts';
import { OwnTopic, ownEnv, PlantedLake, purchaseMessage } from '@millrace/operations/testing';
import type { RunningService } from '@millrace/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, testKey } from './testing-api.ts';

const [sold, bad, other] = [randomUUID(), randomUUID(), randomUUID()];
const keys = [testKey('operator', 'admin'), testKey('analyst', 'queries:run')];
let topic: OwnTopic;
let planted: PlantedLake;
let api: RunningService;
let withoutKafka: RunningService;

beforeAll(async () => {
  const env = ownEnv();
  topic = await OwnTopic.open(env, 2);
  planted = await PlantedLake.open({ ...env, SINK_TOPIC: topic.name });
  await topic.produce([
    purchaseMessage(sold, { partition: 0 }),
    purchaseMessage(bad, { partition: 0, userAge: 240 }),
    purchaseMessage(other, { partition: 1, userAge: 240 }),
  ]);
  await planted.land(0, [
    { eventId: sold, at: 1_575_121_641 },
    { eventId: bad, at: 1_575_121_642, fate: 'rejected' },
  ]);
  await planted.land(1, [{ eventId: other, at: 1_575_121_643, fate: 'rejected' }]);
  const { bucket, stream } = planted.lake;
  const lake = { bucket, database: stream.database };
  const streams = [{ ...purchases, topic: { ...purchases.topic, name: topic.name, partitions: 2 } }];
  ({ api } = await startTestApi(lake, keys, { streams, more: { KAFKA_BROKERS: env['KAFKA_BROKERS'] ?? '127.0.0.1:9092' } }));
  ({ api: withoutKafka } = await startTestApi(lake, keys, { streams }));
});
afterAll(async () => {
  await Promise.all([api?.close(), withoutKafka?.close()]);
  planted?.close();
  await topic?.close();
});

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- names the answer that the API promises
async function ask<T>(path: string, body?: unknown, { key = 'operator-key', url = api.url } = {}): Promise<{ status: number; body: T }> {
  const response = await fetch(url + path, {
    headers: { authorization: `Bearer ${key}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as T };
}

async function eventsInTopic(): Promise<number> {
  return (await topic.admin.fetchTopicOffsets(topic.name)).reduce((sum, { high }) => sum + Number(high), 0);
}

describe('/v1/rejects', () => {
  it('the list counts rejects by reason and time, and gives them page by page', async () => {
    const first = await ask<RejectList>('/v1/rejects?limit=1');
    expect(first).toMatchObject({
      status: 200,
      body: {
        table: 'purchases',
        canRedrive: true,
        filesTotal: 2,
        filesRead: 2,
        reasons: [{ reason: 'userAge must be at most 150', count: 2, oldestAt: '2019-11-30T13:47:22.000Z' }],
        rejects: [{ topic: topic.name }],
      },
    });
    expect(first.body.buckets.reduce((sum, { count }) => sum + count, 0)).toBe(2);
    const second = await ask<RejectList>(`/v1/rejects?limit=1&cursor=${first.body.next!}`);
    expect(new Set([...first.body.rejects, ...second.body.rejects].map(({ eventId }) => eventId))).toEqual(new Set([bad, other]));
    expect(second.body.next).toBeUndefined();
  });

  it('filters by partition, reason and time leave out the other rejects', async () => {
    const count = async (query: string): Promise<number> => (await ask<RejectList>(`/v1/rejects?${query}`)).body.rejects.length;
    expect(await count('partition=1')).toBe(1);
    expect(await count('reason=another')).toBe(0);
    expect(await count('from=2019-11-30T13:47:23Z&to=2019-11-30T13:47:23Z')).toBe(1);
    expect(await ask('/v1/rejects?partition=x&when=now')).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'when' }, { field: 'partition' }] },
    });
  });

  it('a record is shown with every rule that it breaks', async () => {
    expect(await ask<RejectDetail>('/v1/rejects/0/1')).toMatchObject({
      status: 200,
      body: {
        eventId: bad,
        violations: [{ field: 'userAge', message: 'must be at most 150' }],
        event: { userAge: 240, title: 'Orlando' },
        key: 'test-user',
      },
    });
    expect(await ask('/v1/rejects/0/0')).toMatchObject({ status: 404 });
  });

  it('a plan produces nothing, a redrive produces each event once, and both need the scope admin', async () => {
    const { body: record } = await ask<RejectDetail>('/v1/rejects/0/1');
    const rejects = [
      { partition: 0, offset: 1, event: { ...record.event, userAge: 24 } },
      { partition: 1, offset: 0 },
      { partition: 1, offset: 77 },
    ];
    const before = await eventsInTopic();
    expect(await ask<RedriveAnswer>('/v1/rejects/redrive', { rejects })).toMatchObject({
      status: 200,
      body: {
        applied: false,
        counts: { produce: 1, landed: 0, waiting: 0, refused: 2 },
        lines: [
          { partition: 0, offset: 1, action: 'produce', eventId: bad },
          { partition: 1, offset: 0, action: 'refused', reason: expect.stringContaining('userAge must be at most 150') as string },
          { partition: 1, offset: 77, action: 'refused' },
        ],
      },
    });
    expect(await ask('/v1/rejects/redrive', { rejects, apply: true })).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'reason' }] },
    });
    expect(await ask('/v1/rejects/redrive', { rejects }, { key: 'analyst-key' })).toMatchObject({ status: 403 });
    expect(await eventsInTopic()).toBe(before);

    const change = { rejects, apply: true, reason: 'the age was wrong' };
    expect(await ask<RedriveAnswer>('/v1/rejects/redrive', change)).toMatchObject({
      status: 200,
      body: {
        applied: true,
        counts: { produce: 1, refused: 2 },
        lines: [{ to: { key: 'test-user', offset: expect.any(String) as string } }, {}, {}],
      },
    });
    expect(await ask<RedriveAnswer>('/v1/rejects/redrive', change)).toMatchObject({ body: { counts: { produce: 0, waiting: 1 } } });
    expect(await eventsInTopic()).toBe(before + 1);
  });

  it('without a connection to Kafka the rejects are listed, and a redrive says which setting is missing', async () => {
    const { url } = withoutKafka;
    expect(await ask('/v1/rejects', undefined, { url })).toMatchObject({ status: 200, body: { canRedrive: false } });
    expect(await ask('/v1/rejects/redrive', { rejects: [{ partition: 0, offset: 1 }] }, { url })).toMatchObject({
      status: 503,
      body: { detail: expect.stringContaining('KAFKA_BROKERS') as string },
    });
  });
});
