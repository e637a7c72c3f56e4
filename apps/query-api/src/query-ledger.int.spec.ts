import { purchases, type AuditEvent, type LedgerTimeline, type StreamDetails } from '@millrace/contracts';
import { PlantedLake, plantedRecords } from '@millrace/operations/testing';
import type { RunningService } from '@millrace/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, testKey } from './testing-api.ts';

let planted: PlantedLake;
let api: RunningService;

beforeAll(async () => {
  planted = await PlantedLake.open();
  await planted.land(0, [...plantedRecords(3), { eventId: crypto.randomUUID(), at: 1_575_121_641, fate: 'rejected' }]);
  await planted.land(0, plantedRecords(2));
  await planted.land(5, plantedRecords(4));
  const { bucket, stream } = planted.lake;
  const keys = [testKey('operator', 'admin'), testKey('analyst', 'queries:run')];
  ({ api } = await startTestApi({ bucket, database: stream.database }, keys));
});
afterAll(async () => {
  await api?.close();
  planted?.close();
});

async function ask(path: string, { key = 'operator-key', method = 'GET' } = {}): Promise<Response> {
  return await fetch(api.url + path, { method, headers: { authorization: `Bearer ${key}` } });
}

/** The events of an audit, in their order. */
async function audited(): Promise<AuditEvent[]> {
  const response = await ask('/v1/tables/purchases/audit', { method: 'POST' });
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  return [...(await response.text()).matchAll(/^data: (.*)$/gm)].map((match) => JSON.parse(match[1]!) as AuditEvent);
}

describe('/v1/tables/:name/ledger', () => {
  it('the entries of the last day are summed by lane and listed with their files', async () => {
    const timeline = (await (await ask('/v1/tables/purchases/ledger')).json()) as LedgerTimeline;
    expect(timeline).toMatchObject({ table: 'purchases', entries: 3, unread: 0, gaps: [], compactions: [] });
    expect(timeline.lanes).toHaveLength(purchases.topic.partitions);
    const steps = timeline.lanes[0]!.steps;
    const sum = (field: 'entries' | 'rows' | 'rejected'): number => steps.reduce((total, step) => total + step[field], 0);
    expect([sum('entries'), sum('rows'), sum('rejected'), timeline.lanes[0]!.to]).toEqual([2, 5, 1, 6]);
    expect(timeline.list!.map(({ partition, from, rows }) => [partition, from, rows])).toEqual(
      expect.arrayContaining([
        [0, 0, 3],
        [0, 4, 2],
        [5, 0, 4],
      ]),
    );
  });

  it('another table, a wrong range and another scope are refused', async () => {
    expect((await ask('/v1/tables/none/ledger')).status).toBe(404);
    expect((await ask('/v1/tables/purchases/ledger?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z')).status).toBe(400);
    expect((await ask('/v1/tables/purchases/ledger?steps=0')).status).toBe(400);
    expect((await ask('/v1/tables/purchases/ledger', { key: 'analyst-key' })).status).toBe(403);
  });
});

describe('/v1/tables/:name/audit', () => {
  it('the last event is the report, and a deleted file makes it faulty', async () => {
    expect((await audited()).at(-1)).toMatchObject({
      state: 'done',
      report: { verdict: 'complete', lanes: [{ spanned: 6 }, { spanned: 4 }] },
    });
    const files = await planted.lake.store.list('purchases/', {});
    const [deleted] = files.filter((key) => key.includes('/p0-0-4-'));
    await planted.lake.store.delete(deleted!);
    expect((await audited()).at(-1)).toMatchObject({
      state: 'done',
      report: { verdict: 'faulty', faults: expect.arrayContaining([expect.objectContaining({ kind: 'missing-file' })]) as unknown },
    });
  });
});

describe('/v1/streams', () => {
  it('an analyst reads the schema, an example and the AsyncAPI document of each stream', async () => {
    const { streams } = (await (await ask('/v1/streams', { key: 'analyst-key' })).json()) as StreamDetails;
    expect(streams).toMatchObject([{ name: 'purchases', table: 'purchases', history: null, schema: { title: 'PurchaseEvent' } }]);
    expect(await (await ask(streams[0]!.asyncApi, { key: 'analyst-key' })).json()).toMatchObject({ asyncapi: '3.0.0' });
    expect((await ask('/v1/streams/none/asyncapi')).status).toBe(404);
  });
});
