import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { EngineName } from '@millrace/contracts';
import { createPipeline } from '@millrace/resilience';
import { createLogger, ProcessLoad, startService, type RunningService } from '@millrace/runtime';
import { spawnService } from '@millrace/testing';
import { tableFromIPC } from 'apache-arrow';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readQueryConfig } from './config.ts';
import { conformanceRows } from './engines/query-engine.conformance.ts';
import type { ResultRow } from './engines/query-engine.ts';
import { QueryApiModule } from './query-api.module.ts';
import { QueryWorkerModule } from './query-worker.module.ts';
import { queueNameOf } from './queries/query-queue.ts';
import { queuePrefix } from './queries/queue-prefix.ts';
import { requestConnection, type RedisClient } from '@millrace/redis';
import { openTestLake, testEnvironment, testParts, type TestLake } from './testing-lake.ts';

let lake: TestLake;
let api: RunningService;
let worker: RunningService;
let redis: RedisClient;

function jobKey(engine: EngineName, id: string): string {
  return `${queuePrefix}:${queueNameOf(`test-${lake.database}`, engine)}:${id}`;
}

async function startApi(more: Record<string, string> = {}): Promise<RunningService> {
  const config = readQueryConfig(testEnvironment(lake, more));
  const logger = createLogger({ name: 'query-api', level: config.LOG_LEVEL });
  return await startService({
    name: 'query-api',
    module: QueryApiModule.of(config, logger),
    port: 0,
    logger,
    admission: 'http',
    bodyBytesMax: 256 * 1024,
  });
}

async function startWorker(more: Record<string, string> = {}): Promise<RunningService> {
  const config = readQueryConfig(testEnvironment(lake, more));
  const logger = createLogger({ name: 'query-worker', level: config.LOG_LEVEL });
  return await startService({ name: 'query-worker', module: QueryWorkerModule.of(config, logger), port: 0, logger });
}

/** A statement that ends by a cancel or by its time limit only. */
const endless = 'SELECT count(*) FROM range(1000000000) a(x), range(1000) b(y) WHERE a.x % 7 = b.y % 5';

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // The tests assert shapes.
  readonly body: Record<string, never> & {
    id: string;
    state: string;
    rows: unknown[][];
    results: { rows: unknown[][]; columns: unknown[]; next?: string };
    next: string;
    error: { type: string; detail: string };
  };
}

async function ask(path: string, init: RequestInit = {}, service: RunningService = api): Promise<Answer> {
  const response = await fetch(service.url + path, init);
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: (response.headers.get('content-type')?.includes('json') === true &&
    text !== '' &&
    !response.headers.get('content-type')!.includes('ndjson')
      ? JSON.parse(text)
      : {}) as Answer['body'],
  };
}

async function post(body: unknown, headers: Record<string, string> = {}, path = '/v1/queries'): Promise<Answer> {
  return await ask(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

async function readinessOf(service: RunningService): Promise<unknown> {
  const { dependencies, status } = (await ask('/health/ready', {}, service)).body as unknown as {
    status: string;
    dependencies: { name: string }[];
  };
  return [status, ...dependencies.map(({ name }) => name).toSorted()];
}

/** The types and the rows, as text, that DuckDB finds in a file of Parquet. */
async function parquetRows(bytes: Uint8Array): Promise<{ readonly types: string[]; readonly rows: unknown[][] }> {
  const folder = await mkdtemp(join(tmpdir(), 'query-api-test-'));
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    const path = join(folder, 'result.parquet');
    await writeFile(path, bytes);
    const types = (await connection.runAndReadAll(`FROM read_parquet('${path}') LIMIT 0`)).columnTypes().map(String);
    return { types, rows: (await connection.runAndReadAll(`SELECT COLUMNS(*)::VARCHAR FROM read_parquet('${path}')`)).getRows() };
  } finally {
    connection.closeSync();
    instance.closeSync();
    await rm(folder, { recursive: true, force: true });
  }
}

beforeAll(async () => {
  lake = await openTestLake();
  await lake.land(conformanceRows);
  redis = requestConnection({ url: testParts.redisUrl }, [createPipeline({ name: 'redis' })], () => undefined);
  [api, worker] = await Promise.all([startApi(), startWorker()]);
});
afterAll(async () => {
  await Promise.all([api?.close(), worker?.close()]);
  redis?.disconnect();
  await lake?.close();
});

describe('a query over HTTP', () => {
  it('a query is taken with 202, can be waited for, and its results can be read', async () => {
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

  it('a query gives the same rows through duckdb and through athena', async () => {
    const sql = `SELECT event_id, book_id, title, author, genre, user_id, user_country, user_age, purchase_timestamp, dt FROM ${lake.database}.purchases WHERE user_age >= ? ORDER BY purchase_timestamp`;
    const [duckdb, athena] = await Promise.all(
      ['duckdb', 'athena'].map(async (engine) => await post({ sql, parameters: [0], engine }, { prefer: 'wait=30' })),
    );
    expect(duckdb!.status).toBe(200);
    expect(athena!.status).toBe(200);
    expect(duckdb!.body.results.rows).toHaveLength(3);
    expect(athena!.body.results.rows).toEqual(duckdb!.body.results.rows);
    // DuckDB keeps microseconds, and Athena milliseconds.
    const columns = duckdb!.body.results.columns as { name: string; type: string }[];
    expect(athena!.body.results.columns).toEqual(
      columns.map(({ name, type }) => ({ name, type: type === 'timestamp(6)' ? 'timestamp(3)' : type })),
    );
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

  it('a query of an unknown column fails with the reason and the position', async () => {
    const { status, body } = await post({ sql: 'SELECT gener FROM purchases' }, { prefer: 'wait=30' });
    expect(status).toBe(200);
    expect(body.state).toBe('failed');
    expect(body.error).toMatchObject({ type: 'urn:millrace:problem:statement-invalid', status: 400 });
    expect(body.error.detail).toContain('line 1, column 8');
    const results = await ask(`/v1/queries/${body.id}/results`);
    expect(results.status).toBe(409);
    expect(results.body).toMatchObject({ type: 'urn:millrace:problem:no-results' });
  });

  it("a query ends at its caller's deadline, which its job carries, and is not begun after it", async () => {
    const sql = 'SELECT count(*) FROM range(1000000000) a(x), range(1000) b(y) WHERE a.x % 7 = b.y % 5';
    const deadline = Date.now() + 1500;
    const taken = await post({ sql }, { prefer: 'wait=30', 'x-millrace-deadline': String(deadline) });
    // Its caller need not wait longer.
    expect(taken).toMatchObject({ status: 202, body: { state: expect.stringMatching(/^(queued|running)$/) as string } });
    const { body } = await ask(`/v1/queries/${taken.body.id}?wait=30`);
    expect(body).toMatchObject({
      state: 'failed',
      error: { type: 'urn:millrace:problem:deadline-exceeded', detail: 'The deadline of the caller passed before the query had finished.' },
    });
    expect(await post({ sql }, { 'x-millrace-deadline': '1000' })).toMatchObject({
      status: 504,
      body: { type: 'urn:millrace:problem:deadline-exceeded' },
    });
  });

  it('the state and the results of a query are not read, and it is not cancelled, for a caller whose deadline has passed', async () => {
    const { body } = await post({ sql: 'SELECT 1 AS one' }, { prefer: 'wait=30' });
    const self = `/v1/queries/${body.id}`;
    const ways: readonly [path: string, init: RequestInit][] = [
      [self, {}],
      [`${self}?wait=30`, {}],
      [`${self}/results`, {}],
      [self, { method: 'DELETE' }],
      ['/v1/reports', {}],
    ];
    for (const [path, init] of ways) {
      expect(await ask(path, { ...init, headers: { 'x-millrace-deadline': '1000' } })).toMatchObject({
        status: 504,
        body: { type: 'urn:millrace:problem:deadline-exceeded' },
      });
      expect(await ask(path, { ...init, headers: { 'x-millrace-deadline': 'soon' } })).toMatchObject({ status: 400 });
      expect((await ask(path, { ...init, headers: { 'x-millrace-deadline': String(Date.now() + 60_000) } })).status).toBe(200);
    }
  });

  it('a query is waited for no longer than the deadline of the waiting caller', async () => {
    const { body } = await post({
      sql: 'SELECT count(*) FROM range(1000000000) a(x), range(1000) b(y) WHERE a.x % 7 = b.y % 5',
      timeoutMs: 600_000,
    });
    const self = `/v1/queries/${body.id}`;
    const waited = await ask(`${self}?wait=60`, { headers: { 'x-millrace-deadline': String(Date.now() + 1000) } });
    expect(waited).toMatchObject({ status: 200, body: { state: expect.stringMatching(/^(queued|running)$/) as string } });
    await ask(self, { method: 'DELETE' });
  });

  it('a request is shed before any call to Redis while the process is overloaded; an operator is still answered', async () => {
    const { body } = await post({ sql: 'SELECT 1 AS one' }, { prefer: 'wait=30' });
    const delay = vi.spyOn(api.app.get(ProcessLoad), 'eventLoopDelayMs').mockReturnValue(60_000);
    const shed = async (): Promise<unknown> => (await ask(`/v1/queries/${body.id}`)).body['type'];
    try {
      await expect.poll(shed).toBe('urn:millrace:problem:overloaded');
      expect(Number((await ask('/v1/reports')).headers.get('retry-after'))).toBeGreaterThan(0);
      expect((await ask('/health/live')).status).toBe(200);
      expect((await ask('/metrics')).status).toBe(200);
    } finally {
      delay.mockRestore();
    }
    await expect.poll(async () => (await ask(`/v1/queries/${body.id}`)).status, { timeout: 30_000 }).toBe(200);
  });

  it('a query ends at its time limit', async () => {
    const { body } = await post(
      { sql: 'SELECT count(*) FROM range(1000000000) a(x), range(1000) b(y) WHERE a.x % 7 = b.y % 5', timeoutMs: 1000 },
      { prefer: 'wait=30' },
    );
    expect(body).toMatchObject({ state: 'failed', error: { type: 'urn:millrace:problem:deadline-exceeded' } });
  });

  it('a query can be cancelled while it runs; its results are never given', async () => {
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

  it('the state of a query is answered 304 while nothing changed', async () => {
    const { body } = await post({ sql: 'SELECT 1 AS one' }, { prefer: 'wait=30' });
    const first = await ask(`/v1/queries/${body.id}`);
    const tag = first.headers.get('etag')!;
    const second = await ask(`/v1/queries/${body.id}`, { headers: { 'if-none-match': tag } });
    expect(second.status).toBe(304);
    expect(second.text).toBe('');
  });

  it('a result that the client has is answered 304, to its owner and in the same form only', async () => {
    const { body } = await post({ sql: 'SELECT 1 AS one' }, { prefer: 'wait=30' });
    const path = `/v1/queries/${body.id}/results`;
    const tag = (await ask(path)).headers.get('etag')!;
    expect((await ask(path, { headers: { 'if-none-match': tag } })).status).toBe(304);
    expect((await ask(path, { headers: { 'if-none-match': tag, accept: 'text/csv' } })).status).toBe(200);
    expect((await ask(`/v1/queries/${crypto.randomUUID()}/results`, { headers: { 'if-none-match': '*' } })).status).toBe(404);
  });

  it('a query is cancelled after the wait when its caller chose that, and reports how long the cancel took', async () => {
    const { body } = await post({ sql: endless, onWaitTimeout: 'cancel' }, { prefer: 'wait=1' });
    expect(['cancelling', 'cancelled']).toContain(body.state);
    const done = await ask(`/v1/queries/${body.id}?wait=30`);
    expect(done.body).toMatchObject({ state: 'cancelled', cancelMs: expect.any(Number) as number });
  });

  it('a query can be followed as server-sent events, which end with it', async () => {
    const { body } = await post({ sql: endless });
    const response = await fetch(`${api.url}/v1/queries/${body.id}/events`);
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    const until = async (pattern: RegExp): Promise<void> => {
      while (!pattern.test(text)) {
        const { value, done } = await reader.read();
        if (done) throw new Error(`the stream ended with ${text}`);
        text += value;
      }
    };
    await until(/"state":"running"/);
    await until(/event: progress\n.*"phase":"executing","bytesScanned":\d/);
    await ask(`/v1/queries/${body.id}`, { method: 'DELETE' });
    await until(/"state":"cancelled".*\n\n/);
    expect((await reader.read()).done).toBe(true);
    const seen = await fetch(`${api.url}/v1/queries/${body.id}/events`, { headers: { 'last-event-id': '4' } });
    expect(seen.status).toBe(204);
    expect((await fetch(`${api.url}/v1/queries/${crypto.randomUUID()}/events`)).status).toBe(404);
  });

  it('a query is estimated before it runs, and refused above its own limit', async () => {
    const sql = 'SELECT genre FROM purchases';
    const estimate = await post({ sql, engine: 'athena' }, {}, '/v1/queries/estimate');
    expect(estimate).toMatchObject({
      status: 200,
      body: { billedBytes: 10 * 1024 ** 2, tables: [{ table: 'purchases', columns: ['genre'] }] },
    });
    expect((await post({ sql: 'DROP TABLE purchases' }, {}, '/v1/queries/estimate')).status).toBe(400);
    expect(await post({ sql, maxBytesScanned: 1 })).toMatchObject({
      status: 422,
      body: { type: 'urn:millrace:problem:scan-limit-exceeded' },
    });
    const { bytesScanned } = estimate.body as unknown as { bytesScanned: number };
    expect((await post({ sql, maxBytesScanned: bytesScanned }, { prefer: 'wait=30' })).body.state).toBe('succeeded');
  });

  it('a query gives results page by page, each row once', async () => {
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

  it('a query gives a result of many parts as NDJSON and as CSV', async () => {
    const { body } = await post(
      { sql: `SELECT n, 'a "b", c' AS t, CAST(NULL AS VARCHAR) AS nothing FROM range(25000) t(n) ORDER BY n` },
      { prefer: 'wait=30' },
    );
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

  it.each([
    ['duckdb', `SELECT n, CAST(n / 4 AS DECIMAL(20,2)) AS d, nullif(n, 3) AS nothing FROM range(25000) t(n) ORDER BY n`, 25_000],
    ['athena', 'SELECT genre, user_age, purchase_timestamp, nullif(user_age, 30) AS nothing FROM purchases ORDER BY purchase_timestamp', 3],
  ] as const)('a result of %s has the same values as JSON, as Parquet and as Arrow', async (engine, sql, count) => {
    const { body } = await post({ sql, engine }, { prefer: 'wait=30' }, '/v1/queries?limit=10');
    expect(body.state).toBe('succeeded');
    const { columns } = body.results as { columns: { name: string; type: string }[] };
    const whole = async (accept: string): Promise<Buffer> => {
      const response = await fetch(`${api.url}/v1/queries/${body.id}/results`, { headers: { accept } });
      expect([response.status, response.headers.get('content-type')]).toEqual([200, accept]);
      return Buffer.from(await response.arrayBuffer());
    };
    const table = tableFromIPC(await whole('application/vnd.apache.arrow.stream'));
    expect([table.numRows, table.schema.fields.map(({ name }) => name)]).toEqual([count, columns.map(({ name }) => name)]);
    const { types, rows } = await parquetRows(await whole('application/vnd.apache.parquet'));
    expect(rows).toHaveLength(count);
    expect(types).toEqual(columns.map(({ type }) => type.replace(/^timestamp.*/, 'timestamp').toUpperCase()));
    const shown = (body.results.rows as ResultRow[]).map((row) => row.map((cell) => (cell === null ? null : String(cell))));
    expect(rows.slice(0, shown.length)).toEqual(shown);
  });

  it('the parts of a result are read through links without credentials until these expire, whole and in order', async () => {
    const { body } = await post({ sql: 'SELECT n FROM range(25000) t(n) ORDER BY n' }, { prefer: 'wait=30' }, '/v1/queries?limit=1');
    const links = await ask(`/v1/queries/${body.id}/results/links?seconds=60`);
    expect([links.status, links.headers.get('cache-control')]).toEqual([200, 'private, no-store']);
    const { parts, rows, expiresAt } = links.body as unknown as { parts: { url: string; rows: number }[]; rows: number; expiresAt: string };
    expect(Date.parse(expiresAt) - Date.now()).toBeLessThanOrEqual(60_000);
    expect([rows, parts.map((part) => part.rows)]).toEqual([25_000, [10_000, 10_000, 5000]]);
    const lines: string[] = [];
    for (const { url } of parts) {
      expect(new URL(url).searchParams.get('X-Amz-Expires')).toBe('60');
      lines.push(...(await (await fetch(url)).text()).trimEnd().split('\n'));
    }
    expect(lines).toEqual(Array.from({ length: 25_000 }, (_, n) => `["${n}"]`));
    expect((await ask(`/v1/queries/${body.id}/results/links?seconds=59`)).status).toBe(400);
    const small = await post({ sql: 'SELECT 1 AS one' }, { prefer: 'wait=30' });
    const inline = (await ask(`/v1/queries/${small.body.id}/results/links`)).body as unknown as { parts: { url: string }[] };
    expect(await (await fetch(inline.parts[0]!.url)).text()).toBe('[1]\n');
  });
});

describe('a repeated request', () => {
  it('a request that is sent again with its Idempotency-Key is the same query', async () => {
    const key = { 'idempotency-key': crypto.randomUUID() };
    const [first, second] = await Promise.all([
      post({ sql: 'SELECT ?', parameters: ['a'] }, key),
      post({ sql: 'SELECT ?', parameters: ['a'] }, key),
    ]);
    expect(first.body.id).toBe(second.body.id);
    await ask(`/v1/queries/${first.body.id}?wait=30`);
    const late = await post({ sql: 'SELECT ?', parameters: ['a'] }, key);
    expect(late.status).toBe(200);
    expect(late.body).toMatchObject({ id: first.body.id, state: 'succeeded', results: { rows: [['a']] } });
  });

  it('a request under the key of another request is refused', async () => {
    const key = { 'idempotency-key': crypto.randomUUID() };
    expect((await post({ sql: 'SELECT ?', parameters: ['a'] }, key)).status).toBe(202);
    const other = await post({ sql: 'SELECT ?', parameters: ['b'] }, key);
    expect(other.status).toBe(422);
    expect(other.body).toMatchObject({ type: 'urn:millrace:problem:idempotency-conflict', errors: [{ field: 'Idempotency-Key' }] });
  });

  it('a request under the key of a request to another engine is refused, also at the same time', async () => {
    for (let round = 0; round < 5; round += 1) {
      const key = { 'idempotency-key': crypto.randomUUID() };
      const send = async (engine: string): Promise<Answer> => await post({ sql: 'SELECT 1 AS one', engine }, key);
      const answers = await Promise.all([send('duckdb'), send('athena')]);
      const taken = answers.filter(({ status }) => status === 202);
      expect(taken).toHaveLength(1);
      expect(answers.filter(({ status }) => status === 422)).toHaveLength(1);
      const { id, engine } = taken[0]!.body as unknown as { id: string; engine: EngineName };
      const other = engine === 'duckdb' ? 'athena' : 'duckdb';
      // The one that was refused does not run unseen: it would leave its results under the same id.
      expect(await redis.exists(jobKey(other, id))).toBe(0);
      expect((await ask(`/v1/queries/${id}?wait=30`)).body).toMatchObject({ state: 'succeeded', engine });
      expect(await redis.exists(jobKey(engine, id))).toBe(1);
      expect((await send(other)).status).toBe(422);
      expect((await send(engine)).status).toBe(200);
    }
  });

  it('a request that is sent again without a key is another query', async () => {
    const [first, second] = await Promise.all([post({ sql: 'SELECT 1' }), post({ sql: 'SELECT 1' })]);
    expect(first.body.id).not.toBe(second.body.id);
  });
});

describe('refusals', () => {
  it.each([
    ['two statements', { sql: 'SELECT 1; SELECT 2' }, 400, 'statement-not-allowed'],
    ['a statement that changes something', { sql: 'DROP TABLE purchases' }, 400, 'statement-not-allowed'],
    ['a file of the machine', { sql: "SELECT * FROM read_csv('/etc/passwd')" }, 400, 'statement-not-allowed'],
    ['a file of the machine by name', { sql: "SELECT * FROM '/etc/passwd'" }, 400, 'statement-not-allowed'],
    [
      'a file of the machine through athena',
      { sql: "SELECT * FROM read_csv('/etc/passwd')", engine: 'athena' },
      400,
      'statement-not-allowed',
    ],
    ['text that is not SQL', { sql: 'SELECT FROM WHERE' }, 400, 'statement-invalid'],
    ['a missing statement', {}, 400, 'validation'],
    ['a statement and a report', { sql: 'SELECT 1', report: 'sales-by-genre' }, 400, 'validation'],
    ['an unknown field', { sql: 'SELECT 1', limit: 5 }, 400, 'validation'],
    ['an unknown report', { report: 'nothing' }, 400, 'validation'],
    ['an unknown parameter of a report', { report: 'sales-by-genre', parameters: { since: '2019-01-01' } }, 400, 'validation'],
    ['an engine that is not configured', { sql: 'SELECT 1', engine: 'trino' }, 400, 'validation'],
    ['too few parameters', { sql: 'SELECT ?, ?', parameters: [1] }, 400, 'validation'],
    ['an integer that JSON cannot carry', { sql: 'SELECT ?', parameters: [2 ** 60] }, 400, 'validation'],
    ['a body that is an array', [1], 400, 'validation'],
    ['a body that is null', 'null', 400, 'validation'],
    ['no body', '', 400, 'invalid-json'],
    ['a number beyond a double', '{"sql": "SELECT ?", "parameters": [1e999]}', 400, 'validation'],
    ['an object as a parameter', { sql: 'SELECT ?', parameters: [{ a: 1 }] }, 400, 'validation'],
    ['parameters by name with a statement', { sql: 'SELECT ?', parameters: { a: 1 } }, 400, 'validation'],
    ['parameters in order with a report', { report: 'sales-by-genre', parameters: ['2019-01-01'] }, 400, 'validation'],
    ['too many parameters', { sql: 'SELECT ?', parameters: Array.from({ length: 101 }, () => 1) }, 400, 'validation'],
    ['a value that text cannot hold', { sql: 'SELECT ?', parameters: ['a\0'] }, 400, 'validation'],
    ['half a character', '{"sql": "SELECT ?", "parameters": ["\\ud800"]}', 400, 'validation'],
    ['half a character in the statement', `{"sql": "SELECT '\\ud800'"}`, 400, 'statement-invalid'],
    ['a time limit of a thousand years', { sql: 'SELECT 1', timeoutMs: 31_536_000_000_000 }, 400, 'validation'],
    ['an impossible date', { report: 'sales-by-genre', parameters: { from: '2019-02-30' } }, 400, 'validation'],
    ['a statement that nothing can parse in time', { sql: `SELECT ${'?,'.repeat(32_000)}?` }, 400, 'statement-not-allowed'],
    ['a statement too deep', { sql: `SELECT ${'('.repeat(30_000)}1${')'.repeat(30_000)}` }, 400, 'statement-invalid'],
    ['broken JSON', '{"sql": ', 400, 'invalid-json'],
    ['a body too large', { sql: 'x'.repeat(300_000) }, 413, 'body-too-large'],
    ['a statement too long', { sql: `SELECT '${'x'.repeat(70_000)}'` }, 400, 'validation'],
  ])('the API refuses %s', async (_what, body, status, problem) => {
    const answer = await post(body);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.body).toMatchObject({ type: `urn:millrace:problem:${problem}`, status, detail: expect.any(String) as string });
  });

  it.each([
    ['an unknown field', { sql: 'SELECT 1', limit: 5 }, 'limit'],
    ['too few parameters', { sql: 'SELECT ?, ?', parameters: [1] }, 'parameters'],
    ['a parameter of the wrong type', { sql: 'SELECT ?, ?', parameters: [1, [2]] }, 'parameters[1]'],
    ['an engine that is not configured', { sql: 'SELECT 1', engine: 'trino' }, 'engine'],
    ['a time limit that is too short', { sql: 'SELECT 1', timeoutMs: 1 }, 'timeoutMs'],
    ['an unknown report', { report: 'nothing' }, 'report'],
    ['a wrong parameter of a report', { report: 'sales-by-genre', parameters: { to: 'today' } }, 'parameters.to'],
    ['a statement that changes something', { sql: 'DROP TABLE purchases' }, 'sql'],
  ])('the problem names the field of %s', async (_what, body, field) => {
    expect((await post(body)).body).toMatchObject({ errors: [{ field, message: expect.any(String) as string }] });
  });

  it('the API refuses a cursor that was made or changed by hand', async () => {
    const { body } = await post({ sql: 'SELECT n FROM range(25) t(n) ORDER BY n' }, { prefer: 'wait=30' });
    const cursors = [
      '',
      'x',
      '%00',
      'a'.repeat(5000),
      ...[`${body.id}:26`, `${body.id}:-1`, `${body.id}:1e1`, `${body.id}:1:1x`, body.id, ':5', `${body.id}:${'9'.repeat(30)}`].map(
        (text) => Buffer.from(text).toString('base64url'),
      ),
    ];
    for (const cursor of cursors) {
      const answer = await ask(`/v1/queries/${body.id}/results?cursor=${cursor}`);
      expect([cursor, answer.status]).toEqual([cursor, 400]);
      expect(answer.body).toMatchObject({ errors: [{ field: 'cursor' }] });
    }
    expect((await ask(`/v1/queries/${body.id}/results?cursor=a&cursor=b`)).status).toBe(400);
    expect((await ask(`/v1/queries/${body.id}/results?limit=0`)).body).toMatchObject({ errors: [{ field: 'limit' }] });
  });

  it('the API refuses a content type that is not JSON', async () => {
    for (const headers of [{ 'content-type': 'text/plain' }, { 'content-type': 'application/xml' }]) {
      const answer = await ask('/v1/queries', { method: 'POST', headers, body: '{"sql":"SELECT 1"}' });
      expect(answer.status).toBe(415);
      expect(answer.body).toMatchObject({ type: 'urn:millrace:problem:unsupported-media-type' });
    }
  });

  it.each([
    ['/v1/queries/no-such-query', 404, 'not-found'],
    ['/v1/queries/00000000-0000-4000-8000-000000000000', 404, 'not-found'],
    ['/v1/queries/00000000-0000-4000-8000-000000000000/results', 404, 'not-found'],
    ['/v1/queries/00000000-0000-4000-8000-000000000000?wait=61', 400, 'validation'],
    ['/v1/queries/00000000-0000-4000-8000-000000000000?wait=soon', 400, 'validation'],
  ])('GET %s is answered with %i', async (path, status, problem) => {
    const answer = await ask(path);
    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({ type: `urn:millrace:problem:${problem}` });
  });
});

describe('a stopping API', () => {
  it('a stopping API is unready at once, answers queries for its drain delay, and then ends long polls', { timeout: 120_000 }, async () => {
    const env = testEnvironment(lake, { QUERY_QUEUE_NAME: `drain-${lake.database}`, MILLRACE_DRAIN_DELAY_MS: '5000' });
    const stopping = await spawnService('query-api', env);
    const at = { url: stopping.url } as RunningService;
    const send = async (): Promise<Answer> =>
      await ask('/v1/queries', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"sql":"SELECT 1"}' }, at);
    // No worker takes them: the wait would last a minute.
    const { body } = await send();
    const longPoll = ask(`/v1/queries/${body.id}?wait=60`, {}, at);
    await expect.poll(async () => (await ask('/metrics', {}, at)).text).toMatch(/requests_in_flight\{[^}]*\} 2$/m);
    const ended = stopping.kill('SIGTERM');
    await expect.poll(async () => (await ask('/health/ready', {}, at)).status).toBe(503);
    const late = await send();
    expect([late.status, late.headers.get('connection')]).toEqual([202, 'close']);
    expect(await longPoll).toMatchObject({
      status: 200,
      body: { state: 'queued', progress: { phase: 'waiting', queuePosition: 1 } },
    });
    expect(await ended).toEqual({ code: 0, signal: null });
  });
});

describe('the other routes', () => {
  it('the API lists tables, reports and engines', async () => {
    expect((await ask('/v1/tables')).body).toMatchObject({ tables: [{ name: 'purchases', database: lake.database }] });
    await expect
      .poll(async () => (await ask('/v1/reports')).body)
      .toMatchObject({
        reports: expect.arrayContaining([
          expect.objectContaining({
            name: 'sales-by-genre',
            usage: expect.objectContaining({ requests: expect.any(Number) as number }) as object,
          }),
        ]) as unknown[],
      });
    expect((await ask('/v1/engines')).body).toEqual({
      engines: [
        { name: 'duckdb', default: true },
        { name: 'athena', default: false },
      ],
    });
  });

  it('the readiness names the dependencies of each process', async () => {
    expect(await readinessOf(api)).toEqual([
      'ready',
      'circuit-cache',
      'circuit-glue',
      'circuit-lake-version',
      'circuit-redis',
      'circuit-s3',
      'circuit-usage-read',
      'redis',
      's3',
    ]);
    expect(await readinessOf(worker)).toEqual([
      'ready',
      'circuit-athena',
      'circuit-cache',
      'circuit-duckdb-reads',
      'circuit-glue',
      'circuit-lake-version',
      'circuit-redis',
      'circuit-s3',
      'circuit-trino',
      'engine-athena',
      'engine-duckdb',
      'glue',
      'redis',
      's3',
    ]);
  });

  it('a full queue is reported, and only queries for its engine are refused', async () => {
    const narrow = { QUERY_QUEUE_NAME: `full-${lake.database}`, QUERY_QUEUE_JOBS_MAX: '2' };
    const full = await startApi(narrow);
    try {
      const send = async (engine?: string): Promise<Answer> =>
        await ask(
          '/v1/queries',
          { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ sql: 'SELECT 1', engine }) },
          full,
        );
      expect((await send()).status).toBe(202);
      expect((await send()).status).toBe(202);
      const refused = await send();
      expect(refused.status).toBe(503);
      expect(refused.headers.get('retry-after')).toBe('5');
      expect(refused.body).toMatchObject({ type: 'urn:millrace:problem:overloaded' });
      expect((await send('athena')).status).toBe(202);
    } finally {
      await full.close();
    }
  });
});
