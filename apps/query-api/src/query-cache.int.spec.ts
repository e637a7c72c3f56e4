import { setTimeout as delay } from 'node:timers/promises';
import { authFrom, createLogger, startService, type RunningService } from '@millrace/runtime';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readQueryConfig } from './config.ts';
import { QueryApiModule } from './query-api.module.ts';
import { QueryWorkerModule } from './query-worker.module.ts';
import { openTestIssuer, type TestIssuer } from '@millrace/testing';
import { openTestLake, testEnvironment, testParts, type TestLake, type TestPurchase } from './testing-lake.ts';

const day = 86_400;
const december = 1_575_158_400;

let lake: TestLake;
let issuer: TestIssuer;
let api: RunningService;
let worker: RunningService | undefined;

interface Answer {
  readonly status: number;
  readonly cache: string | null;
  readonly age: string | null;
  readonly body: {
    readonly id: string;
    readonly state: string;
    readonly results?: { readonly rows: unknown[][]; readonly next?: string };
    readonly statistics?: { readonly bytesScanned: number };
    readonly asOf?: readonly { readonly offsets: readonly number[] }[];
    readonly cached?: { readonly ageSeconds: number };
    readonly queries?: readonly { readonly id: string }[];
  };
}

function settings(): Record<string, string> {
  return {
    ...issuer.settings,
    QUERY_LOCK_MS: '2000',
    LOG_LEVEL: 'error',
    // A busy machine must not make the cache time out.
    QUERY_LAKE_VERSION_ATTEMPT_TIMEOUT_MS: '20000',
    QUERY_LAKE_VERSION_TOTAL_TIMEOUT_MS: '20000',
    QUERY_CACHE_ATTEMPT_TIMEOUT_MS: '20000',
    QUERY_CACHE_TOTAL_TIMEOUT_MS: '20000',
  };
}

async function startWorker(): Promise<RunningService> {
  const config = readQueryConfig(testEnvironment(lake, settings()));
  const logger = createLogger({ name: 'query-worker', level: config.LOG_LEVEL });
  return await startService({ name: 'query-worker', module: QueryWorkerModule.of(config, logger), port: 0, logger });
}

async function ask(path: string, caller: string, init: RequestInit = {}): Promise<Answer> {
  const token = issuer.tokenFor(caller, 'queries:run');
  const headers = { authorization: `Bearer ${token}`, ...(init.headers as Record<string, string> | undefined) };
  const response = await fetch(api.url + path, { ...init, headers });
  const body = (await response.json()) as Answer['body'];
  return { status: response.status, cache: response.headers.get('x-cache'), age: response.headers.get('age'), body };
}

async function run(
  sql: string,
  {
    caller = 'alice',
    headers = {},
    wait = 30,
    ...more
  }: { caller?: string; headers?: Record<string, string>; wait?: number; parameters?: unknown[] } = {},
): Promise<Answer> {
  return await ask('/v1/queries', caller, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(wait > 0 ? { prefer: `wait=${wait}` } : {}), ...headers },
    body: JSON.stringify({ sql, ...more }),
  });
}

function purchase(more: Partial<TestPurchase> = {}): TestPurchase {
  return { genre: 'Fiction', userId: 'ada', userAge: 36, purchaseTimestamp: december, ...more };
}

/** A query at its end. */
async function ended(id: string, caller = 'alice'): Promise<Answer['body']> {
  return (await ask(`/v1/queries/${id}?wait=30`, caller)).body;
}

/** Queries that the worker has run to their end. */
async function finishedCount(): Promise<number> {
  const text = await (await fetch(`${worker!.url}/metrics`)).text();
  return [...text.matchAll(/^millrace_query_finished_total\{.*\} (\d+)$/gm)].reduce((sum, [, number]) => sum + Number(number), 0);
}

beforeAll(async () => {
  [lake, issuer] = await Promise.all([openTestLake(), openTestIssuer('https://cache.example')]);
  await lake.landBatch([purchase(), purchase({ genre: "Poet's" })]);
  const config = readQueryConfig(testEnvironment(lake, settings()));
  const logger = createLogger({ name: 'query-api', level: config.LOG_LEVEL });
  api = await startService({
    name: 'query-api',
    module: QueryApiModule.of(config, logger),
    port: 0,
    logger,
    admission: 'http',
    auth: authFrom(config),
  });
  worker = await startWorker();
});
afterAll(async () => {
  await Promise.all([api?.close(), worker?.close()]);
  await Promise.all([issuer?.close(), lake?.close()]);
});

async function count(condition = ''): Promise<Answer> {
  return await run(`SELECT count(*) AS n FROM purchases${condition}`);
}

async function resultsOf({ body: { id } }: Answer, caller: string): Promise<Answer> {
  return await ask(`/v1/queries/${id}/results`, caller);
}

/** The number in the one row of a page. */
function countOf({ body }: Answer): number {
  return Number((body as unknown as { rows: string[][] }).rows[0]![0]);
}

describe('the cache of results', () => {
  it('the cache answers an equal statement of another layout from the first result, under a separate id', async () => {
    const first = await run('SELECT genre, count(*) AS n FROM purchases GROUP BY genre ORDER BY genre');
    expect(first).toMatchObject({
      status: 200,
      cache: 'miss',
      age: null,
      body: { state: 'succeeded', asOf: [{ offsets: [2, 0, 0, 0, 0, 0, 0, 0] }] },
    });
    const second = await run('select genre, COUNT(*) as n\nfrom purchases -- again\ngroup by genre order by genre', { caller: 'bob' });
    // The name of a function keeps its case.
    expect(second.cache).toBe('miss');
    const third = await run('select genre, count(*) as n\nfrom purchases -- again\ngroup by genre order by genre', { caller: 'bob' });
    expect(third).toMatchObject({ status: 200, cache: 'hit', body: { state: 'succeeded', statistics: { bytesScanned: 0 } } });
    expect(Number(third.age)).toBe(third.body.cached!.ageSeconds);
    expect(third.body.results).toEqual(first.body.results);
    expect(third.body.id).not.toBe(first.body.id);
    expect(JSON.stringify(third.body)).not.toContain(first.body.id);
  });

  it('the cache keeps the queries of callers apart: each sees its own, and pages with its own cursors', async () => {
    const sql = 'SELECT genre FROM purchases ORDER BY genre';
    const alice = await run(sql);
    const bob = await run(sql, { caller: 'bob' });
    expect([alice.cache, bob.cache]).toEqual(['miss', 'hit']);
    expect((await ask(`/v1/queries/${alice.body.id}`, 'bob')).status).toBe(404);
    expect((await ask(`/v1/queries/${bob.body.id}`, 'alice')).status).toBe(404);
    const page = await ask(`/v1/queries/${bob.body.id}/results?limit=1`, 'bob');
    const { next } = page.body as unknown as { next: string };
    expect(Buffer.from(next, 'base64url').toString()).toBe(`${bob.body.id}:1`);
    expect(await ask(`/v1/queries/${bob.body.id}/results?cursor=${next}`, 'bob')).toMatchObject({
      status: 200,
      body: { rows: [["Poet's"]] },
    });
    const ids = (await ask('/v1/queries', 'bob')).body.queries!.map(({ id }) => id);
    expect(ids).toContain(bob.body.id);
    expect(ids).not.toContain(alice.body.id);
  });

  it('the cache never answers without a purchase that has landed, and still answers statements over other days', async () => {
    const before = await count();
    expect((await count()).cache).toBe('hit');
    await count(" WHERE dt < '2019-12-02'");
    await lake.landBatch([purchase({ purchaseTimestamp: december + 5 * day })]);
    const after = await count();
    expect(after.cache).toBe('miss');
    expect(Number(after.body.results!.rows[0]![0])).toBe(Number(before.body.results!.rows[0]![0]) + 1);
    expect(await count(" WHERE dt < '2019-12-02'")).toMatchObject({
      cache: 'hit',
      body: { asOf: [{ offsets: [3, 0, 0, 0, 0, 0, 0, 0] }] },
    });
  });

  it('with an allowed age of the check, a query finds a landed purchase once that age has passed', async () => {
    const ageMsMax = 2000;
    const config = readQueryConfig(testEnvironment(lake, { ...settings(), QUERY_CACHE_STALE_MS_MAX: String(ageMsMax) }));
    const logger = createLogger({ name: 'query-api', level: config.LOG_LEVEL });
    const module = QueryApiModule.of(config, logger);
    const other = await startService({ name: 'query-api', module, port: 0, logger, admission: 'http', auth: authFrom(config) });
    const own = api;
    api = other;
    try {
      const before = Number((await count(" WHERE dt > '2019'")).body.results!.rows[0]![0]);
      expect((await count(" WHERE dt > '2019'")).cache).toBe('hit');
      await lake.landBatch([purchase()]);
      await delay(ageMsMax);
      expect(Number((await count(" WHERE dt > '2019'")).body.results!.rows[0]![0])).toBe(before + 1);
    } finally {
      api = own;
      await other.close();
    }
  });

  it('a kept result that lacks an unregistered day stays valid until the day is registered', async () => {
    const later = " WHERE dt >= '2020-01-01'";
    await count(later);
    expect((await count(later)).cache).toBe('hit');
    const rows = [purchase({ purchaseTimestamp: december + 40 * day })];
    await lake.landBatch(rows, { until: 'published' });
    // The day has files, and no engine reads them: the result that is kept now holds until the day is registered.
    expect((await count(later)).body.results!.rows).toEqual([['0']]);
    expect((await count(later)).cache).toBe('hit');
    await lake.catalog.register(['2020-01-10']);
    expect(await count(later)).toMatchObject({ cache: 'miss', body: { results: { rows: [['1']] } } });
    expect((await count(later)).cache).toBe('hit');
  });

  it('the cache is bypassed on request, for volatile statements and for those without a table', async () => {
    const sql = 'SELECT max(user_age) AS oldest FROM purchases';
    expect((await run(sql, { headers: { 'cache-control': 'no-store' } })).cache).toBe('bypass');
    expect((await run(sql)).cache).toBe('miss');
    expect((await run(sql, { headers: { 'cache-control': 'no-cache' } })).cache).toBe('bypass');
    expect((await run(sql)).cache).toBe('hit');
    for (const other of ['SELECT now() AS at, count(*) FROM purchases', 'SELECT 1 AS one', 'SELECT * FROM purchases USING SAMPLE 1 ROWS']) {
      await run(other);
      expect((await run(other)).cache).toBe('bypass');
    }
    const [text, number] = [
      await run('SELECT user_id FROM purchases WHERE user_age > ?', { parameters: ['36'] }),
      await run('SELECT user_id FROM purchases WHERE user_age > ?', { parameters: [36] }),
    ];
    expect([text.cache, number.cache]).toEqual(['miss', 'miss']);
  });

  it('a statement runs again when its result is gone from S3', async () => {
    const sql = 'SELECT min(user_age) AS youngest FROM purchases';
    const { body } = await run(sql);
    await lake.store.delete(`_results/${body.id}/manifest.json`);
    expect((await run(sql)).cache).toBe('miss');
    expect((await run(sql)).cache).toBe('hit');
  });

  it('each entry of the cache expires', async () => {
    const redis = new Redis(testParts.redisUrl);
    const keys = await redis.keys(`millrace:test-${lake.database}:cache:*`);
    expect(keys.length).toBeGreaterThan(0);
    for (const key of keys) expect(await redis.ttl(key)).toBeGreaterThan(0);
    redis.disconnect();
  });
});

/** Statements of about a second, of which no two are equal. */
const slow = (mark: number, millions = 20): string =>
  `SELECT count(*) AS n FROM range(${millions * 1_000_000 + mark}) a(x), purchases WHERE a.x % 7 = user_age % 5`;

describe('equal statements', () => {
  it('equal statements at the same time run once for all their callers', async () => {
    const before = await finishedCount();
    const answers = await Promise.all(Array.from({ length: 10 }, async (_, index) => await run(slow(1), { caller: `caller-${index}` })));
    expect(answers.map(({ cache }) => String(cache)).toSorted()).toEqual(['miss', ...Array.from({ length: 9 }, () => 'shared')]);
    expect(new Set(answers.map(({ body }) => JSON.stringify(body.results))).size).toBe(1);
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(10);
    expect((await finishedCount()) - before).toBe(1);
  });

  it('a leader continues when a follower is cancelled, and a follower runs when its leader is cancelled', async () => {
    // Long enough to be still running after the requests below.
    const leader = await run(slow(2, 100), { wait: 0 });
    const first = await run(slow(2, 100), { caller: 'bob', wait: 0 });
    const second = await run(slow(2, 100), { caller: 'eve', wait: 0 });
    expect([leader.cache, first.cache, second.cache]).toEqual(['miss', 'shared', 'shared']);
    expect((await ask(`/v1/queries/${first.body.id}`, 'bob', { method: 'DELETE' })).body.state).toBe('cancelled');
    expect(['queued', 'running']).toContain((await ask(`/v1/queries/${leader.body.id}`, 'alice')).body.state);
    await ask(`/v1/queries/${leader.body.id}`, 'alice', { method: 'DELETE' });
    expect((await ended(leader.body.id)).state).toBe('cancelled');
    expect((await ended(second.body.id, 'eve')).state).toBe('succeeded');
    expect((await ended(first.body.id, 'bob')).state).toBe('cancelled');
  });

  it('equal statements run separately when a purchase landed between them', async () => {
    const leader = await run(slow(3, 30), { wait: 0 });
    await expect.poll(async () => (await ask(`/v1/queries/${leader.body.id}`, 'alice')).body.state).toBe('running');
    await lake.landBatch([purchase({ userAge: 35 })]);
    const follower = await run(slow(3, 30), { caller: 'bob' });
    // On a fast machine the leader may have ended by then.
    expect(['shared', 'miss']).toContain(follower.cache);
    // The leader runs, but may have read the table after the purchase: then both have it.
    const fresh = await run(slow(3, 30), { caller: 'eve', headers: { 'cache-control': 'no-store' } });
    expect(countOf(await resultsOf(follower, 'bob'))).toBe(countOf(await resultsOf(fresh, 'eve')));
  });
});
