import { randomUUID } from 'node:crypto';
import { batchBytes, RawProducer } from '@millrace/kafka/testing';
import type { EventTrace } from '@millrace/operations';
import { ownEnv, OwnTopic, PlantedLake, plantedRecords, purchaseMessage } from '@millrace/operations/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { operate } from './operate.ts';
import { recordingContext } from './testing/recording-context.ts';

let topic: OwnTopic;
let planted: PlantedLake;

beforeEach(async () => {
  const env = ownEnv();
  topic = await OwnTopic.open(env, 2);
  planted = await PlantedLake.open({ ...env, SINK_TOPIC: topic.name });
});
afterEach(async () => {
  planted.close();
  await topic.close();
});

async function trace(...args: string[]): Promise<{ code: number; trace: EventTrace; text: string }> {
  const context = recordingContext(planted.env);
  const code = await operate('trace', [...args, '--json'], context);
  const human = recordingContext(planted.env);
  expect(await operate('trace', args, human)).toBe(code);
  return { code, trace: JSON.parse(context.lines.join('\n')) as EventTrace, text: human.lines.join('\n') };
}

it('a trace of a row shows its offset, batch, file and day, and the dropped duplicates', async () => {
  const [one, two, three, four] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
  await topic.produce([one, two, three, two, four].map((id) => purchaseMessage(id, { partition: 1 })));
  await planted.land(1, [{ eventId: one, at: 1_575_121_641 }]);
  const entry = await planted.land(1, [
    { eventId: two, at: 1_575_121_641 },
    { eventId: three, at: 1_575_158_400 },
    { eventId: two, at: 1, fate: 'dropped' },
  ]);
  const place = { topic: topic.name, partition: 1 };
  const batch = { id: entry.id, entry: 2, from: 1, to: 4 };

  const found = await trace(two.toUpperCase());
  expect(found.code).toBe(0);
  expect(found.trace).toEqual({
    eventId: two,
    status: 'landed',
    rows: [{ ...place, offset: 1, batch, file: entry.files[0]!.key, dt: '2019-11-30', icebergFile: null }],
    duplicates: [{ ...place, offset: 3, batch }],
    rejects: [],
    waiting: [],
    lost: [],
    unseen: [],
  });
  expect(found.text).toContain(`Event ${two} is a row of the table.`);
  expect(found.text).toContain(
    `${topic.name}, partition 1, offset 1\n  batch      entry 2 of the partition, offsets [1, 4), id ${entry.id}\n  file       s3://${planted.lake.bucket}/${entry.files[0]!.key}\n  partition  dt=2019-11-30`,
  );
  expect(found.text).toContain('offset 3: the event is a row already');
  expect((await trace(three)).trace).toMatchObject({
    status: 'landed',
    rows: [{ offset: 2, dt: '2019-12-01', file: entry.files[1]!.key }],
    duplicates: [],
  });

  const waits = await trace(four);
  expect(waits).toMatchObject({
    code: 0,
    trace: { status: 'waiting', rows: [], waiting: [{ ...place, offset: 4, batch: null, behind: 0 }] },
  });
  expect(waits.text).toContain('is in the topic and has not landed yet.');
  expect(await topic.leftGroups()).toEqual([]);
});

it('a trace distinguishes a reject, a lost row and an unknown event', async () => {
  const [bad, gone] = [randomUUID(), randomUUID()];
  await topic.produce([
    purchaseMessage(bad, { partition: 0, userAge: 240 }),
    purchaseMessage(gone, { partition: 0 }),
    purchaseMessage(randomUUID(), { partition: 0 }),
  ]);
  const entry = await planted.land(0, [
    { eventId: bad, at: 1, fate: 'rejected' },
    { eventId: gone, at: 1_575_121_641 },
  ]);
  expect((await trace(bad)).trace).toMatchObject({
    status: 'rejected',
    rejects: [{ partition: 0, offset: 0, reason: 'userAge must be at most 150', batch: { entry: 1 }, file: entry.rejects!.key }],
  });

  await planted.land(0, plantedRecords(1));
  await planted.lake.store.delete(entry.files[0]!.key);
  expect((await trace(gone)).trace.status).toBe('not-found');
  const deep = await trace(gone, '--deep');
  expect(deep.trace).toMatchObject({ status: 'lost', lost: [{ partition: 0, offset: 1, batch: { id: entry.id } }] });

  const nothing = await trace(randomUUID());
  expect([nothing.code, nothing.trace.status]).toEqual([1, 'not-found']);
  expect(nothing.text).toContain('--deep reads the whole topic');
});

function valueOf(eventId: string): string {
  return String(purchaseMessage(eventId).value);
}

it('a trace reads the records of foreign producers, and never calls an event absent after an incomplete search', async () => {
  const [odd, open, nowhere] = [randomUUID(), randomUUID(), randomUUID()];
  const producer = await RawProducer.connect(planted.env['KAFKA_BROKERS']!);
  try {
    const headers = [
      ['x', null],
      ['__proto__', 'y'],
    ] as const;
    await producer.produce(
      topic.name,
      0,
      batchBytes({ codec: 'xerial', records: [{ value: 'before' }, { value: valueOf(odd), headers }] }),
    );
    expect(await trace(odd)).toMatchObject({ code: 0, trace: { status: 'waiting', waiting: [{ partition: 0, offset: 1 }], unseen: [] } });
    expect(await trace(nowhere)).toMatchObject({ code: 1, trace: { status: 'not-found', unseen: [] } });

    const id = `${topic.name}-transaction`;
    const identity = await producer.initTransactions(id);
    await producer.addToTransaction(id, identity, topic.name, 1);
    const batch = { transactional: true, producerId: identity.producerId, producerEpoch: identity.epoch, baseSequence: 0 };
    await producer.produce(topic.name, 1, batchBytes({ ...batch, records: [{ value: valueOf(open) }] }), id);
    // No consumer sees it before the transaction is committed.
    expect(await trace(open)).toMatchObject({ code: 1, trace: { status: 'not-found' } });
    await producer.endTransaction(id, identity, true);
    await expect.poll(async () => (await trace(open)).trace.status, { timeout: 30_000 }).toBe('waiting');

    const away = recordingContext({ ...planted.env, KAFKA_BROKERS: '127.0.0.1:1' });
    expect(await operate('trace', [odd], away)).toBe(2);
    expect(away.lines.join('\n')).toContain('A part of the topic was not searched, and the event may be there.');
  } finally {
    producer.close();
  }
});

/** An id as the purchase API would have made it at that time. */
function idOf(time: number): string {
  const hex = time.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7${randomUUID().slice(15)}`;
}

it('a trace finds a row by the time in its id, and also when that time is wrong', async () => {
  const [now, misleading] = [idOf(Date.now()), idOf(Date.parse('2022-02-22T22:22:22Z'))];
  await topic.produce([now, misleading].map((id) => purchaseMessage(id, { partition: 1 })));
  await planted.land(1, [
    { eventId: now, at: 1_575_121_641 },
    { eventId: misleading, at: 1_575_121_641 },
  ]);
  expect((await trace(now)).trace).toMatchObject({ status: 'landed', rows: [{ partition: 1, offset: 0 }] });
  expect((await trace(misleading)).trace).toMatchObject({ status: 'landed', rows: [{ partition: 1, offset: 1 }] });
});

it('a trace without Kafka answers from the table and names the parts that it did not search', async () => {
  const one = randomUUID();
  await planted.land(0, [{ eventId: one, at: 1_575_121_641 }]);
  const context = recordingContext({ ...planted.env, KAFKA_BROKERS: '127.0.0.1:1' });
  expect(await operate('trace', [randomUUID()], context)).toBe(2);
  expect(context.lines.join('\n')).toContain('the topic (events that have not landed yet): Kafka at 127.0.0.1:1 does not answer');
  expect(await operate('trace', [one], context)).toBe(0);
});

it('a trace of a row names the file by which the Iceberg table holds it', async () => {
  const [one, two, three] = [randomUUID(), randomUUID(), randomUUID()];
  const projection = planted.projection();
  const first = await planted.land(1, [{ eventId: one, at: 1_575_121_641 }]);
  await projection.round();
  expect((await trace(one)).trace.rows[0]).toMatchObject({ file: first.files[0]!.key, icebergFile: first.files[0]!.key });
  expect((await trace(one)).text).toContain('iceberg    the same file');

  await planted.land(1, [{ eventId: two, at: 1_575_121_642 }]);
  await projection.round();
  await planted.compact(projection);
  await planted.land(1, [{ eventId: three, at: 1_575_121_643 }]);
  const found = await trace(two);
  expect(found.trace.rows[0]?.icebergFile).toMatch(/^_iceberg\/purchases\/data\/dt=2019-11-30\/g1-\d+-.*\.parquet$/);
  expect(found.text).toContain(`iceberg    s3://${planted.lake.bucket}/_iceberg/purchases/data/dt=2019-11-30/g1-`);
  expect((await trace(three)).trace.rows[0]?.icebergFile).toBeNull();
});
