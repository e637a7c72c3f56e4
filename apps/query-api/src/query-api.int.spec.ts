import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { createLogger, startService, type RunningService } from '@millrace/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readQueryConfig } from './config.ts';
import { conformanceRows } from './engines/query-engine.conformance.ts';
import { pipelineGuards } from './pipelines.ts';
import { QueryApiModule } from './query-api.module.ts';
import { QueryWorkerModule } from './query-worker.module.ts';
import { openTestLake, testParts, type TestLake } from './testing-lake.ts';

let lake: TestLake;
let api: RunningService;
let worker: RunningService;

function environment(more: Record<string, string> = {}): Record<string, string> {
  return {
    QUERY_QUEUE_NAME: `test-${lake.database}`,
    LAKE_BUCKET: lake.bucket,
    LAKE_DATABASE: lake.database,
    REDIS_URL: testParts.redisUrl,
    AWS_ENDPOINT_URL: testParts.endpoint,
    AWS_REGION: testParts.region,
    QUERY_ATHENA_POLL_MS_MIN: '20',
    QUERY_DUCKDB_PROCESS_MB: '600',
    LOG_LEVEL: 'warn',
    ...(testParts.httpfsPath === undefined ? {} : { QUERY_DUCKDB_HTTPFS: testParts.httpfsPath }),
    ...(process.env['HOME'] === undefined ? {} : { HOME: process.env['HOME'] }),
    ...more,
  };
}

async function startApi(more: Record<string, string> = {}): Promise<RunningService> {
  const config = readQueryConfig(environment(more));
  const logger = createLogger({ name: 'query-api', level: config.LOG_LEVEL });
  return await startService({ name: 'query-api', module: QueryApiModule.of(config, logger, pipelineGuards(config)), port: 0, logger, bodyBytesMax: 256 * 1024 });
}

async function startWorker(more: Record<string, string> = {}): Promise<RunningService> {
  const config = readQueryConfig(environment(more));
  const logger = createLogger({ name: 'query-worker', level: config.LOG_LEVEL });
  return await startService({ name: 'query-worker', module: QueryWorkerModule.of(config, logger, pipelineGuards(config)), port: 0, logger });
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // Shapes are what the tests assert.
  readonly body: Record<string, never> & { id: string; state: string; rows: unknown[][]; results: { rows: unknown[][]; columns: unknown[]; next?: string }; next: string; error: { type: string; detail: string } };
}

async function ask(path: string, init: RequestInit = {}, service: RunningService = api): Promise<Answer> {
  const response = await fetch(service.url + path, init);
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: (response.headers.get('content-type')?.includes('json') === true && text !== '' && !response.headers.get('content-type')!.includes('ndjson') ? JSON.parse(text) : {}) as Answer['body'] };
}

async function post(body: unknown, headers: Record<string, string> = {}, path = '/v1/queries'): Promise<Answer> {
  return await ask(path, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: typeof body === 'string' ? body : JSON.stringify(body) });
}

async function readinessOf(service: RunningService): Promise<unknown> {
  const { dependencies, status } = (await ask('/health/ready', {}, service)).body as unknown as { status: string; dependencies: { name: string }[] };
  return [status, ...dependencies.map(({ name }) => name).toSorted()];
}

beforeAll(async () => {
  lake = await openTestLake();
  await lake.land(conformanceRows);
  [api, worker] = await Promise.all([startApi(), startWorker()]);
});
afterAll(async () => {
  await Promise.all([api?.close(), worker?.close()]);
  await lake?.close();
});

describe('a query over HTTP', () => {
  it('is taken with 202, can be waited for, and its results read', async () => {
    const submitted = await post({ sql: 'SELECT genre, count(*) AS purchases FROM purchases GROUP BY genre ORDER BY genre' });
    expect(submitted.status).toBe(202);
    expect(submitted.headers.get('retry-after')).toBe('1');
    const self = `/v1/queries/${submitted.body.id}`;
    expect(submitted.headers.get('location')).toBe(self);
    expect(submitted.body).toMatchObject({ state: 'queued', engine: 'duckdb', links: { self, results: `${self}/results` } });

    const done = await ask(`${self}?wait=30`);
    expect(done.body).toMatchObject({ state: 'succeeded', statistics: { rows: 2 } });
    const results = await ask(`${self}/results`);
    expect(results.status).toBe(200);
    expect(results.body).toEqual({
      columns: [
        { name: 'genre', type: 'varchar' },
        { name: 'purchases', type: 'bigint' },
      ],
      rows: [
        ['Fiction', '2'],
        ["Poet's", '1'],
      ],
    });
  });

  it('gives the same rows through duckdb and through athena', async () => {
    const sql = `SELECT event_id, book_id, title, author, genre, user_id, user_country, user_age, purchase_timestamp, dt FROM ${lake.database}.purchases WHERE user_age >= ? ORDER BY purchase_timestamp`;
    const [duckdb, athena] = await Promise.all(['duckdb', 'athena'].map(async (engine) => await post({ sql, parameters: [0], engine }, { prefer: 'wait=30' })));
    expect(duckdb!.status).toBe(200);
    expect(athena!.status).toBe(200);
    expect(duckdb!.body.results.rows).toHaveLength(3);
    expect(athena!.body.results).toEqual(duckdb!.body.results);
  });

  it('a report runs by name, and its parameters narrow it', async () => {
    const all = await post({ report: 'sales-by-genre' }, { prefer: 'wait=30' });
    expect(all.headers.get('preference-applied')).toBe('wait=30');
    expect(all.body.results.rows).toEqual([
      ['Fiction', '2', '2', 35.5],
      ["Poet's", '1', '1', 30],
    ]);
    const december = await post({ report: 'sales-by-genre', parameters: { from: '2019-12-01' }, engine: 'athena' }, { prefer: 'wait=30' });
    expect(december.body).toMatchObject({ report: 'sales-by-genre', results: { rows: [["Poet's", '1', '1', 30]] } });
  });

  it('that asks for an unknown column fails with the reason and the position', async () => {
    const { status, body } = await post({ sql: 'SELECT gener FROM purchases' }, { prefer: 'wait=30' });
    expect(status).toBe(200);
    expect(body.state).toBe('failed');
    expect(body.error).toMatchObject({ type: 'urn:millrace:problem:statement-invalid', status: 400 });
    expect(body.error.detail).toContain('line 1, column 8');
    const results = await ask(`/v1/queries/${body.id}/results`);
    expect(results.status).toBe(409);
    expect(results.body).toMatchObject({ type: 'urn:millrace:problem:no-results' });
  });

  it('ends at its time limit', async () => {
    const { body } = await post({ sql: 'SELECT count(*) FROM range(1000000000) a(x), range(1000) b(y) WHERE a.x % 7 = b.y % 5', timeoutMs: 1000 }, { prefer: 'wait=30' });
    expect(body).toMatchObject({ state: 'failed', error: { type: 'urn:millrace:problem:deadline-exceeded' } });
  });

  it('can be cancelled while it runs; its results are never given', async () => {
    const submitted = await post({ sql: 'SELECT count(*) FROM range(1000000000) a(x), range(1000) b(y) WHERE a.x % 7 = b.y % 5' });
    const self = `/v1/queries/${submitted.body.id}`;
    const early = await ask(`${self}/results`);
    expect(early.status).toBe(409);
    expect(early.body).toMatchObject({ type: 'urn:millrace:problem:not-finished' });
    const cancelled = await ask(self, { method: 'DELETE' });
    expect([200, 202]).toContain(cancelled.status);
    expect((await ask(`${self}?wait=30`)).body.state).toBe('cancelled');
    expect((await ask(`${self}/results`)).status).toBe(409);
    expect((await ask(self, { method: 'DELETE' })).status).toBe(200);
  });

  it('answers 304 while nothing changed', async () => {
    const { body } = await post({ sql: 'SELECT 1 AS one' }, { prefer: 'wait=30' });
    const first = await ask(`/v1/queries/${body.id}`);
    const tag = first.headers.get('etag')!;
    const second = await ask(`/v1/queries/${body.id}`, { headers: { 'if-none-match': tag } });
    expect(second.status).toBe(304);
    expect(second.text).toBe('');
  });

  it('gives results page by page, each row once', async () => {
    const { body } = await post({ sql: 'SELECT n FROM range(25) t(n) ORDER BY n' }, { prefer: 'wait=30' }, '/v1/queries?limit=10');
    const rows = [...body.results.rows];
    let next: string | undefined = body.results.next;
    let pages = 1;
    for (; next !== undefined; pages += 1) {
      const page = await ask(`/v1/queries/${body.id}/results?limit=10&cursor=${next}`);
      rows.push(...page.body.rows);
      next = page.body.next;
    }
    expect(pages).toBe(3);
    expect(rows).toEqual(Array.from({ length: 25 }, (_, n) => [String(n)]));
    const other = await post({ sql: 'SELECT 1 AS one' }, { prefer: 'wait=30' });
    const foreign = await ask(`/v1/queries/${other.body.id}/results?cursor=${body.results.next}`);
    expect(foreign.status).toBe(400);
  });

  it('gives a result of many parts as NDJSON and as CSV', async () => {
    const { body } = await post({ sql: `SELECT n, 'a "b", c' AS t, CAST(NULL AS VARCHAR) AS nothing FROM range(25000) t(n) ORDER BY n` }, { prefer: 'wait=30' });
    expect(body.state).toBe('succeeded');
    const ndjson = await ask(`/v1/queries/${body.id}/results`, { headers: { accept: 'application/x-ndjson' } });
    const lines = ndjson.text.trimEnd().split('\n');
    expect(lines).toHaveLength(25_000);
    expect(JSON.parse(lines[24_999]!)).toEqual({ n: '24999', t: 'a "b", c', nothing: null });
    const csv = await ask(`/v1/queries/${body.id}/results`, { headers: { accept: 'text/csv' } });
    expect(csv.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(csv.text.split('\r\n').slice(0, 2)).toEqual(['n,t,nothing', '0,"a ""b"", c",']);
    expect((await ask(`/v1/queries/${body.id}/results`, { headers: { accept: 'image/png' } })).status).toBe(406);
  });
});

describe('what is refused', () => {
  it.each([
    ['two statements', { sql: 'SELECT 1; SELECT 2' }, 400, 'statement-not-allowed'],
    ['a statement that changes something', { sql: 'DROP TABLE purchases' }, 400, 'statement-not-allowed'],
    ['a file of the machine', { sql: "SELECT * FROM read_csv('/etc/passwd')" }, 400, 'statement-not-allowed'],
    ['a file of the machine by name', { sql: "SELECT * FROM '/etc/passwd'" }, 400, 'statement-not-allowed'],
    ['the same through athena', { sql: "SELECT * FROM read_csv('/etc/passwd')", engine: 'athena' }, 400, 'statement-not-allowed'],
    ['what is not SQL', { sql: 'SELECT FROM WHERE' }, 400, 'statement-invalid'],
    ['a missing statement', {}, 400, 'validation'],
    ['a statement and a report', { sql: 'SELECT 1', report: 'sales-by-genre' }, 400, 'validation'],
    ['an unknown field', { sql: 'SELECT 1', limit: 5 }, 400, 'validation'],
    ['an unknown report', { report: 'nothing' }, 400, 'validation'],
    ['an unknown parameter of a report', { report: 'sales-by-genre', parameters: { since: '2019-01-01' } }, 400, 'validation'],
    ['an engine that is not here', { sql: 'SELECT 1', engine: 'trino' }, 400, 'validation'],
    ['too few parameters', { sql: 'SELECT ?, ?', parameters: [1] }, 400, 'validation'],
    ['a limit that is not kept yet', { sql: 'SELECT 1', maxBytesScanned: 1 }, 400, 'validation'],
    ['an integer that JSON cannot carry', { sql: 'SELECT ?', parameters: [2 ** 60] }, 400, 'validation'],
    ['a body that is an array', [1], 400, 'validation'],
    ['broken JSON', '{"sql": ', 400, 'invalid-json'],
    ['a body too large', { sql: 'x'.repeat(300_000) }, 413, 'body-too-large'],
    ['a statement too long', { sql: `SELECT '${'x'.repeat(70_000)}'` }, 400, 'validation'],
  ])('%s', async (_what, body, status, problem) => {
    const answer = await post(body);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.body).toMatchObject({ type: `urn:millrace:problem:${problem}`, status, detail: expect.any(String) as string });
  });

  it.each([
    ['/v1/queries/no-such-query', 404, 'not-found'],
    ['/v1/queries/00000000-0000-4000-8000-000000000000', 404, 'not-found'],
    ['/v1/queries/00000000-0000-4000-8000-000000000000/results', 404, 'not-found'],
    ['/v1/queries/00000000-0000-4000-8000-000000000000?wait=61', 400, 'validation'],
    ['/v1/queries/00000000-0000-4000-8000-000000000000?wait=soon', 400, 'validation'],
  ])('GET %s', async (path, status, problem) => {
    const answer = await ask(path);
    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({ type: `urn:millrace:problem:${problem}` });
  });
});

describe('around the queries', () => {
  it('lists tables, reports and engines', async () => {
    expect((await ask('/v1/tables')).body).toMatchObject({ tables: [{ name: 'purchases', database: lake.database }] });
    expect((await ask('/v1/reports')).body).toMatchObject({ reports: [{ name: 'sales-by-genre' }] });
    expect((await ask('/v1/engines')).body).toEqual({
      engines: [
        { name: 'duckdb', default: true },
        { name: 'athena', default: false },
      ],
    });
  });

  it('readiness names what each process needs', async () => {
    expect(await readinessOf(api)).toEqual(['ready', 'redis', 's3']);
    expect(await readinessOf(worker)).toEqual(['ready', 'engine-athena', 'engine-duckdb', 'glue', 'redis', 's3']);
  });

  it('a full queue says so', async () => {
    const narrow = { QUERY_QUEUE_NAME: `full-${lake.database}`, QUERY_QUEUE_JOBS_MAX: '2' };
    const full = await startApi(narrow);
    try {
      const send = async (): Promise<Answer> => await ask('/v1/queries', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"sql":"SELECT 1"}' }, full);
      expect((await send()).status).toBe(202);
      expect((await send()).status).toBe(202);
      const refused = await send();
      expect(refused.status).toBe(503);
      expect(refused.headers.get('retry-after')).toBe('5');
      expect(refused.body).toMatchObject({ type: 'urn:millrace:problem:overloaded' });
    } finally {
      await full.close();
    }
  });

  it('started without Redis it refuses queries at once, is not ready, and takes them once Redis is there', async () => {
    const { hostname, port } = new URL(testParts.redisUrl);
    const sockets = new Set<Socket>();
    const relay = createServer((client) => {
      const redis = connect(Number(port === '' ? 6379 : port), hostname);
      for (const socket of [client, redis]) {
        sockets.add(socket);
        socket.on('error', () => undefined);
      }
      client.pipe(redis).pipe(client);
    });
    relay.listen(0, '127.0.0.1');
    await once(relay, 'listening');
    const relayPort = (relay.address() as AddressInfo).port;
    relay.close();
    await once(relay, 'close');
    const alone = await startApi({ REDIS_URL: `redis://127.0.0.1:${relayPort}`, QUERY_REDIS_TIMEOUT_MS: '200', QUERY_QUEUE_NAME: `late-${lake.database}` });
    const send = async (): Promise<Answer> => await ask('/v1/queries', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"sql":"SELECT 1"}' }, alone);
    try {
      const refused = await send();
      expect(refused.status).toBe(503);
      expect(refused.body).toMatchObject({ type: 'urn:millrace:problem:unavailable' });
      expect(refused.headers.get('retry-after')).toBe('2');
      expect((await ask('/health/ready', {}, alone)).status).toBe(503);
      relay.listen(relayPort, '127.0.0.1');
      await once(relay, 'listening');
      await expect.poll(async () => (await send()).status, { timeout: 20_000, interval: 200 }).toBe(202);
    } finally {
      await alone.close();
      for (const socket of sockets) socket.destroy();
      relay.close();
    }
  });
});
