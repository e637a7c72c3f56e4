import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { purchases, type AuditReport, type BatchAnswer, type EventReceipt, type ResultPage, type StreamList } from '@millrace/contracts';
import { bookViews, bookViewsWithShelf } from '@millrace/contracts/testing';
import { spawnService, type ServiceProcess, type SpawnedServiceName, waitUntil, withoutShedding } from '@millrace/testing';
import kafkajs from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { setUpLake } from './lake-setup.ts';
import { readSettings } from './settings.ts';

const name = `streams-${randomUUID().slice(0, 8)}`;
const brokers = process.env['KAFKA_BROKERS'] ?? '127.0.0.1:9092';
const kafka = new kafkajs.Kafka({ brokers: brokers.split(','), logLevel: kafkajs.logLevel.NOTHING });
const bookId = randomUUID();
const view = { bookId, userId: 'ann', viewedAt: 1_575_121_641 };
const list = [{ ...purchases, topic: { ...purchases.topic, name } }, bookViews];
const entries: Partial<Record<SpawnedServiceName, string>> = {
  purchase: 'apps/purchase/dist/testing/main-with-book-views.js',
  sink: 'apps/sink/dist/testing/main-with-book-views.js',
  'query-api': 'apps/query-api/dist/testing/main-with-book-views.js',
  'query-worker': 'apps/query-api/dist/testing/worker-with-book-views.js',
};
const home = await mkdtemp(join(tmpdir(), 'second-stream-'));
const env = {
  KAFKA_BROKERS: brokers,
  LAKE_BUCKET: name,
  LAKE_DATABASE: name.replaceAll('-', '_'),
  MILLRACE_HOME: home,
  PURCHASE_TOPIC: name,
  SINK_TOPIC: name,
  SINK_GROUP_ID: name,
  QUERY_QUEUE_NAME: name,
  ...withoutShedding('PURCHASE'),
  ...withoutShedding('QUERY'),
};
let services: Partial<Record<SpawnedServiceName, ServiceProcess>> = {};

async function start(streams: typeof list, own: Readonly<Record<string, string>> = {}): Promise<void> {
  const all = { ...process.env, ...env };
  await setUpLake(readSettings(all), all, streams);
  services = {};
  const starts = Object.entries(entries).map(async ([key, entry]) => {
    const service = key as SpawnedServiceName;
    services[service] = await spawnService(service, { ...env, ...own }, { entry });
  });
  // A failure is thrown when no start is left, so that the services which run are stopped.
  await Promise.allSettled(starts);
  await Promise.all(starts);
}

async function stop(): Promise<void> {
  await Promise.all(Object.values(services).map(async (service) => await service.kill()));
}

beforeAll(async () => await start(list));

afterAll(async () => {
  await stop();
  const admin = kafka.admin();
  await admin.connect();
  await admin.deleteTopics({ topics: list.map(({ topic }) => topic.name) });
  await admin.disconnect();
  await rm(home, { recursive: true, force: true });
});

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names the type of the answer
async function ask<T>(service: SpawnedServiceName, path: string, body?: unknown): Promise<{ readonly status: number; readonly body: T }> {
  const response = await fetch(services[service]!.url + path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { 'content-type': 'application/json', prefer: 'wait=20' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as T };
}

async function rowsOf(sql: string, engine = 'duckdb'): Promise<ResultPage['rows']> {
  const { status, body } = await ask<{ readonly results?: ResultPage }>('query-api', '/v1/queries', { sql, engine });
  if (body.results === undefined) throw new Error(`the statement was answered ${status}: ${JSON.stringify(body)}`);
  return body.results.rows;
}

async function audited(query: string): Promise<unknown> {
  const { table, verdict, lanes } = (await ask<AuditReport>('sink', `/v1/audit${query}`)).body;
  return [table, verdict, sum(lanes.map(({ rows }) => rows)), sum(lanes.map(({ rejected }) => rejected))];
}

async function landedFiles(): Promise<number> {
  return sum((await ask<AuditReport>('sink', '/v1/audit?stream=book-views')).body.lanes.map(({ files }) => files));
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

describe('a second stream from its declaration alone', () => {
  it('the purchase API lists the stream, and the query API lists its table', async () => {
    const { body } = await ask<StreamList>('purchase', '/v1/streams');
    expect(body.streams.map((one) => one.name)).toEqual(['purchases', 'book-views']);
    expect(await ask('query-api', '/v1/tables')).toMatchObject({
      status: 200,
      body: { tables: [{ name: 'purchases' }, { name: 'book_views' }] },
    });
  });

  it('an event of the stream goes from REST to an SQL answer beside the first stream', async () => {
    const one = await ask<EventReceipt>('purchase', '/v1/book-views', view);
    expect(one).toMatchObject({ status: 202, body: { durability: 'kafka', topic: 'bookstore.book-views.v1' } });
    const batch = [
      { ...view, bookId: bookId.toUpperCase(), referrer: '/home' },
      { ...view, viewedAt: view.viewedAt + 86_400 },
      { ...view, price: 1 },
    ];
    const answer = await ask<BatchAnswer>('purchase', '/v1/book-views/batch', batch);
    expect(answer).toMatchObject({ status: 202, body: { accepted: 2, rejected: 1 } });
    const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
    await producer.connect();
    await producer.send({ topic: bookViews.topic.name, messages: [{ key: 'ann', value: 'garbage' }] });
    await producer.disconnect();
    const purchase = { bookId, title: 'Orlando', author: 'V', genre: 'Fiction', userId: 'ann', userCountry: 'GB', userAge: 24 };
    expect((await ask('purchase', '/v1/purchases', { ...purchase, purchaseTimestamp: view.viewedAt })).status).toBe(202);

    const sql = `SELECT dt, count(*) AS views, max(referrer) AS referrer FROM book_views WHERE book_id = '${bookId}' GROUP BY dt ORDER BY dt`;
    const rows = await waitUntil('the views to be in the table', async () => {
      const found = await rowsOf(sql);
      return found.length === 2 && found[0]?.[1] === '2' ? found : undefined;
    });
    expect(rows).toEqual([
      ['2019-11-30', '2', '/home'],
      ['2019-12-01', '1', null],
    ]);
    const joined = `SELECT count(*) AS n FROM purchases p JOIN book_views v ON p.book_id = v.book_id AND p.user_id = v.user_id`;
    expect(await waitUntil('the purchase', async () => ((await rowsOf(joined))[0]?.[0] === '3' ? true : undefined))).toBe(true);
  });

  it('an invalid record becomes a reject, and the table of the stream is complete', async () => {
    expect(await audited('?stream=book-views')).toEqual(['book_views', 'complete', 3, 1]);
    expect(await audited('')).toEqual(['purchases', 'complete', 1, 0]);
  });

  it("the sink's metrics have separate series for the stream, and the first stream keeps its series", async () => {
    const text = await (await fetch(`${services.sink!.url}/metrics`)).text();
    const landed = text.split('\n').filter((line) => line.startsWith('millrace_sink_rows_landed_total{'));
    expect(landed.map((line) => [line.includes('stream="book-views"'), line.split(' ').at(-1)])).toEqual([
      [false, '1'],
      [true, '3'],
    ]);
  });

  it('a field that the declaration gains is in one table with the old events, for each engine, and makes no extra file', async () => {
    const filesBefore = await landedFiles();
    await stop();
    await start([list[0]!, bookViewsWithShelf], { BOOK_VIEWS: 'with-shelf' });
    const batch = [{ ...view, shelf: 'A3' }, view];
    expect(await ask<BatchAnswer>('purchase', '/v1/book-views/batch', batch)).toMatchObject({ status: 202, body: { accepted: 2 } });

    const sql = `SELECT shelf, count(*) AS views, count(referrer) AS referred FROM book_views GROUP BY shelf ORDER BY shelf`;
    const expected = [
      ['A3', '1', '0'],
      [null, '4', '1'],
    ];
    for (const engine of ['duckdb', 'athena'])
      await expect.poll(async () => await rowsOf(sql, engine), { timeout: 60_000, interval: 500 }).toEqual(expected);
    expect(await audited('?stream=book-views')).toEqual(['book_views', 'complete', 5, 1]);
    expect((await landedFiles()) - filesBefore).toBe(1);
  });
});
