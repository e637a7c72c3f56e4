import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { identityField } from '@millrace/contracts';
import { spawnService, waitUntil, type ServiceProcess, type TopicMessage } from '@millrace/testing';
import kafkajs from 'kafkajs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { postBatch } from './http.ts';
import { landedLake, recordedOffsets, recordedPartitions } from './landed.ts';
import { auditTable } from './proof/audit-table.ts';
import { makePurchases } from './purchases.ts';
import { kafka, stack } from './stack.ts';
import { createTopic, deleteTopic, endOffsets, growTopic, readTopic } from './topic.ts';

const table = `purchases_${randomUUID().slice(0, 8)}`;
const spool = join(stack.home, `spool-${table}`);
const [before, after] = [8, 12];
let topic: string;
let purchase: ServiceProcess;
let sink: ServiceProcess;

beforeAll(async () => {
  topic = await createTopic('e2e-growth');
  [purchase, sink] = await Promise.all([
    spawnService('purchase', { PURCHASE_TOPIC: topic }),
    spawnService('sink', {
      SINK_TOPIC: topic,
      SINK_TABLE: table,
      SINK_GROUP_ID: topic,
      SINK_SPOOL_DIR: spool,
      SINK_FLUSH_SECONDS: '2',
      SINK_ENCODER_THREADS: '1',
    }),
  ]);
});
afterAll(async () => {
  await Promise.all([purchase?.kill(), sink?.kill()]);
  await deleteTopic(topic);
  await rm(spool, { recursive: true, force: true });
});

/** One day makes one file for each batch. */
function purchasesOfOneDay(count: number): ReturnType<typeof makePurchases> {
  return makePurchases(count).map((event) => ({ ...event, purchaseTimestamp: 1_575_072_000 }));
}

/** Puts purchases of another producer into one partition. */
async function produceElsewhere(partition: number, count: number): Promise<string[]> {
  const events = purchasesOfOneDay(count);
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  await producer.connect();
  try {
    await producer.send({
      topic,
      acks: -1,
      messages: events.map((event) => ({ key: event.userId, value: JSON.stringify(event), partition })),
    });
  } finally {
    await producer.disconnect();
  }
  return events.map(({ eventId }) => eventId);
}

/** Buyers whose events are not in the order of their posting within a partition. */
function outOfOrder(messages: readonly TopicMessage[], posted: ReadonlyMap<string, number>): string[] {
  const last = new Map<string, number>();
  return messages.flatMap(({ partition, key, value }) => {
    const number = posted.get((JSON.parse(value) as Record<string, string>)[identityField]!);
    if (number === undefined) return [];
    const place = `${key} in ${partition}`;
    const earlier = last.get(place) ?? -1;
    last.set(place, number);
    return number > earlier ? [] : [place];
  });
}

it('a topic grows from 8 to 12 partitions under load: each event lands once, and purchases use the new ones within a minute', async () => {
  const posted = new Map<string, number>();
  const used = new Set<number>();
  const enough = new AbortController();
  const posting = (async () => {
    while (!enough.signal.aborted) {
      const events = purchasesOfOneDay(50);
      const { status, body } = await postBatch(events, purchase.url);
      expect({ status, accepted: body.accepted }).toEqual({ status: 202, accepted: 50 });
      for (const { eventId } of events) posted.set(eventId, posted.size);
      for (const item of body.items) if ('partition' in item) used.add(item.partition);
      await pause(100);
    }
  })();
  // A refused purchase ends the test at once.
  const until = async (what: string, probe: () => Promise<boolean> | boolean): Promise<void> => {
    const waiting = waitUntil(what, probe, { timeoutMs: 60_000, everyMs: 250 });
    await Promise.race([waiting, posting.then(async () => await waiting)]);
  };
  try {
    await until('purchases to land', async () => (await recordedOffsets(table, topic)) > 200);
    expect(Math.max(...used)).toBe(before - 1);
    await growTopic(topic, after);
    const grownAt = performance.now();
    const foreign = await produceElsewhere(10, 200);
    await until('purchases in each new partition', () => used.size === after);
    expect(performance.now() - grownAt).toBeLessThan(60_000);
    await until('batches of each new partition', async () => (await recordedPartitions(table, topic)).size === after);
    enough.abort();
    await posting;

    const ends = await endOffsets(topic);
    expect(ends).toHaveLength(after);
    const total = posted.size + foreign.length;
    expect(ends.reduce((sum, end) => sum + end, 0)).toBe(total);
    const check = await landedLake(total, table, topic);
    expect(check.faults).toEqual([]);
    expect(check).toMatchObject({ rows: total, distinctEventIds: total, contiguous: true, rejected: 0, dropped: 0, absent: 0, gap: 0 });
    expect(check.lanes).toHaveLength(after);
    expect([...posted.keys(), ...foreign].filter((id) => !check.eventIds.has(id))).toEqual([]);
    expect(outOfOrder(await readTopic(topic), posted)).toEqual([]);
    expect(await auditTable(table)).toMatchObject({ complete: true });
  } finally {
    enough.abort();
    await posting.catch(() => undefined);
  }
}, 240_000);
