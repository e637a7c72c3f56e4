import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { GetObjectTaggingCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { purchases, type AuditReport, type EventReceipt, type EventWay, type InlineQueryView } from '@millrace/contracts';
import { awsAccessFrom, openLakeClients } from '@millrace/lake';
import { spawnService, type ServiceProcess, type SpawnedServiceName, waitUntil, withoutShedding } from '@millrace/testing';
import kafkajs from 'kafkajs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { setUpLake } from './lake-setup.ts';
import { root } from './places.mjs';
import { readSettings } from './settings.ts';

const name = `prefix-${randomUUID().slice(0, 8)}`;
const brokers = process.env['KAFKA_BROKERS'] ?? '127.0.0.1:9092';
const { s3, glue } = openLakeClients(awsAccessFrom(process.env));
const names: readonly SpawnedServiceName[] = ['purchase', 'sink', 'projector', 'query-api', 'query-worker'];
let home: string;
let services: Partial<Record<SpawnedServiceName, ServiceProcess>> = {};

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'lake-prefix-'));
  const env = {
    KAFKA_BROKERS: brokers,
    LAKE_BUCKET: name,
    LAKE_PREFIX: 'teams/shop',
    LAKE_TAGS: 'team=shop,cost-centre=42 a',
    LAKE_DATABASE: name.replaceAll('-', '_'),
    MILLRACE_HOME: home,
    PURCHASE_TOPIC: name,
    SINK_TOPIC: name,
    SINK_GROUP_ID: name,
    SINK_FLUSH_SECONDS: '1',
    PROJECTOR_INTERVAL_SECONDS: '0.5',
    QUERY_QUEUE_NAME: name,
    ...withoutShedding('PURCHASE'),
    ...withoutShedding('QUERY'),
  };
  const all = { ...process.env, ...env };
  await setUpLake(readSettings(all), all, [{ ...purchases, topic: { ...purchases.topic, name } }]);
  const started = await Promise.all(names.map(async (service) => [service, await spawnService(service, env)] as const));
  services = Object.fromEntries(started);
});

afterAll(async () => {
  await Promise.all(Object.values(services).map(async (service) => await service.kill()));
  s3.destroy();
  glue.destroy();
  const admin = new kafkajs.Kafka({ brokers: brokers.split(','), logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.deleteTopics({ topics: [name] });
  await admin.disconnect();
  await rm(home, { recursive: true, force: true });
});

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names the type of the answer
async function ask<T>(service: SpawnedServiceName, path: string, body?: unknown): Promise<T> {
  const response = await fetch(services[service]!.url + path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { 'content-type': 'application/json', prefer: 'wait=20' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return (await response.json()) as T;
}

it('a lake under a prefix is written, projected, queried and audited there, and every object has the tags', async () => {
  const purchase = { bookId: randomUUID(), title: 'Orlando', author: 'V', genre: 'Fiction', userId: 'ann', userCountry: 'GB', userAge: 24 };
  const receipt = await ask<EventReceipt>('purchase', '/v1/purchases', { ...purchase, purchaseTimestamp: 1_575_121_641 });
  const way = await waitUntil('the purchase to be queryable', async () => {
    const found = await ask<EventWay>('purchase', receipt.links.self);
    return found.status === 'queryable' ? found : undefined;
  });
  expect(way.landed?.file).toMatch(/^purchases\/dt=2019-11-30\//);

  const sql = `SELECT title FROM purchases WHERE event_id = '${receipt.eventId}'`;
  for (const engine of ['duckdb', 'athena']) {
    const { results } = await ask<InlineQueryView>('query-api', '/v1/queries', { sql, engine, layout: 'base' });
    expect([engine, results?.rows]).toEqual([engine, [['Orlando']]]);
  }
  const projected = await waitUntil('the purchase in the Iceberg table', async () => {
    const view = await ask<InlineQueryView>('query-api', '/v1/queries', { sql, layout: 'iceberg' });
    return view.state === 'succeeded' && view.statistics?.layoutFallback === undefined ? view : undefined;
  });
  expect(projected.results?.rows).toEqual([['Orlando']]);
  expect(await ask<AuditReport>('sink', '/v1/audit')).toMatchObject({ table: 'purchases', verdict: 'complete' });

  const keys = (await s3.send(new ListObjectsV2Command({ Bucket: name }))).Contents!.map(({ Key }) => Key!);
  expect(keys.filter((key) => !key.startsWith('teams/shop/'))).toEqual([]);
  const folders = keys.map((key) => key.split('/')[2]);
  expect(folders).toEqual(expect.arrayContaining(['_iceberg', '_ledger', '_results', 'purchases']));
  for (const folder of ['_iceberg', '_ledger', 'purchases']) {
    const key = keys.find((one) => one.startsWith(`teams/shop/${folder}/`))!;
    const { TagSet: tags } = await s3.send(new GetObjectTaggingCommand({ Bucket: name, Key: key }));
    expect([folder, tags]).toEqual([
      folder,
      [
        { Key: 'team', Value: 'shop' },
        { Key: 'cost-centre', Value: '42 a' },
      ],
    ]);
  }
});

it('the test of the Helm chart passes on these services, and its purchase becomes queryable', async () => {
  const script = join(root, 'deploy', 'helm', 'millrace', 'files', 'check-installation.mjs');
  const { stdout } = await promisify(execFile)(process.execPath, [script], {
    env: {
      CHECK_SERVICES: names.map((service) => services[service]!.url).join(','),
      CHECK_PURCHASE_URL: services.purchase!.url,
      CHECK_QUERY_URL: services['query-api']!.url,
      CHECK_API_KEY: 'mrk_any',
      CHECK_SECONDS: '60',
    },
  });
  expect(stdout.trimEnd().split('\n').slice(names.length)).toEqual([
    'ok: a purchase is accepted',
    'ok: the purchase is queryable',
    'ok: a query finds it',
  ]);
});
