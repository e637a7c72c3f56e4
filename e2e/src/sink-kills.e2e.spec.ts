import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { spawnService, waitUntil, type ServiceProcess } from '@millrace/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { postBatch } from './http.ts';
import { copyOfLake, type LakeCopy } from './lake-copy.ts';
import { landedLake, recordedOffsets } from './landed.ts';
import { makePurchases } from './purchases.ts';
import { stack } from './stack.ts';
import { createTopic, deleteTopic } from './topic.ts';

const eventsTotal = 20_000;
const table = `purchases_${randomUUID().slice(0, 8)}`;
const spool = join(stack.home, `spool-${table}`);
let topic: string;
let purchase: ServiceProcess;
const sinks: Promise<ServiceProcess>[] = [];
const groups = ['one', 'one', 'two'];

async function startSink(n: number): Promise<ServiceProcess> {
  // Several small batches a lane, so that a kill finds one on its way.
  const settings = { SINK_FLUSH_SECONDS: '1', SINK_FLUSH_BYTES: '65536', SINK_ENCODER_THREADS: '1' };
  return await spawnService(
    'sink',
    { ...settings, SINK_TOPIC: topic, SINK_TABLE: table, SINK_GROUP_ID: `${topic}-${groups[n]}`, SINK_SPOOL_DIR: join(spool, String(n)) },
    { until: 'live' },
  );
}

beforeAll(async () => {
  topic = await createTopic('e2e-kills');
  sinks.push(...groups.map(async (_group, n) => await startSink(n)));
  purchase = await spawnService('purchase', { PURCHASE_TOPIC: topic });
  await Promise.all(sinks);
});

afterAll(async () => {
  const started = await Promise.allSettled(sinks);
  await Promise.all([
    purchase?.kill(),
    ...started.map(async (sink) => (sink.status === 'fulfilled' ? await sink.value.kill() : undefined)),
  ]);
  await deleteTopic(topic);
  await rm(spool, { recursive: true, force: true });
});

async function postAll(events: readonly unknown[]): Promise<void> {
  for (let at = 0; at < events.length; at += 500) {
    const { status, body } = await postBatch(events.slice(at, at + 500), purchase.url);
    expect({ status, accepted: body.accepted }).toEqual({ status: 202, accepted: Math.min(500, events.length - at) });
  }
}

describe('20,000 purchases with two sinks in one group and a third in another, on the same table', () => {
  it('every purchase lands exactly once while sinks are killed with SIGKILL five times and restarted', async () => {
    const events = makePurchases(eventsTotal);
    const share = eventsTotal / 5;
    for (let kill = 0; kill < 5; kill += 1) {
      const recorded = await recordedOffsets(table, topic);
      const posting = postAll(events.slice(kill * share, (kill + 1) * share));
      posting.catch(() => undefined);
      // In the middle of the work: something of this share has landed, and something has not.
      await waitUntil('batches to land again', async () => (await recordedOffsets(table, topic)) > recorded, {
        timeoutMs: 60_000,
        everyMs: 20,
      });
      expect(await recordedOffsets(table, topic)).toBeLessThan((kill + 1) * share);
      const victim = kill % sinks.length;
      expect(await (await sinks[victim]!).kill('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' });
      // It restarts while the others continue; it is killed again only after each of them.
      sinks[victim] = startSink(victim);
      sinks[victim].catch(() => undefined);
      await posting;
    }

    const check = await landedLake(eventsTotal, table, topic);
    expect(check.faults).toEqual([]);
    expect(check).toMatchObject({
      rows: eventsTotal,
      distinctEventIds: eventsTotal,
      distinctOffsets: eventsTotal,
      contiguous: true,
      rejected: 0,
      dropped: 0,
      absent: 0,
      gap: 0,
    });
    expect(check.lanes).toHaveLength(8);
    expect(events.filter(({ eventId }) => !check.eventIds.has(eventId))).toEqual([]);
    expect((await Promise.all(sinks)).map(({ exit }) => exit)).toEqual([undefined, undefined, undefined]);
  }, 240_000);
});

describe('the lake check on a copy of that lake', () => {
  let copy: LakeCopy;
  let undo: (() => Promise<void>) | undefined;
  beforeAll(async () => (copy = await copyOfLake(table)));
  afterEach(async () => await undo?.());
  afterAll(async () => await copy?.remove());

  it('the check finds no fault in the copy', async () => {
    expect((await copy.check()).faults).toEqual([]);
  });

  it('the check reports a deleted file as a loss', async () => {
    const { key, rows } = await copy.file();
    undo = await copy.delete(key);
    const check = await copy.check();
    expect(check).toMatchObject({ rows: eventsTotal - rows, distinctEventIds: eventsTotal - rows, missingFiles: [key], contiguous: true });
    expect(check.lostOffsets).toHaveLength(rows);
  });

  it('the check reports a second file with the same rows as a duplicate', async () => {
    const { key, rows } = await copy.file();
    const twin = key.replace('.parquet', '-again.parquet');
    undo = await copy.put(twin, await copy.read(key));
    const check = await copy.check();
    expect(check).toMatchObject({ rows: eventsTotal + rows, distinctEventIds: eventsTotal, strayFiles: [twin] });
    expect(check.duplicateEventIds).toHaveLength(rows);
  });

  it('the check reports a file with the rows of another as a loss and a duplicate', async () => {
    const [{ key, rows }, other] = [await copy.file(0), await copy.file(1)];
    undo = await copy.put(key, await copy.read(other.key));
    const check = await copy.check();
    expect(check.alteredFiles).toEqual([key]);
    expect(check.lostOffsets).toHaveLength(rows);
    expect(check.duplicateEventIds).toHaveLength(other.rows);
  });

  it('the check reports a deleted entry as a broken chain with stray files', async () => {
    undo = await copy.delete(await copy.firstEntry());
    const check = await copy.check();
    expect(check.contiguous).toBe(false);
    expect(check.strayFiles.length).toBeGreaterThan(0);
  });
});
