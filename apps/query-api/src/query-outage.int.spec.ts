import { FaultProxy } from '@millrace/testing';
import { createLogger, startService, type RunningService } from '@millrace/runtime';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readQueryConfig } from './config.ts';
import { conformanceRows } from './engines/query-engine.conformance.ts';
import { QueryApiModule } from './query-api.module.ts';
import { QueryWorkerModule } from './query-worker.module.ts';
import { openTestLake, testEnvironment, testParts, type TestLake } from './testing-lake.ts';

let lake: TestLake;
let redis: FaultProxy;
let s3: FaultProxy;
let api: RunningService;
let worker: RunningService;

/** Small windows and short open times, so that circuits open and close within a test. */
const quick = {
  QUERY_REDIS_ATTEMPT_TIMEOUT_MS: '1500',
  QUERY_REDIS_BREAKER_MINIMUM_CALLS: '4',
  QUERY_REDIS_BREAKER_WINDOW_MS: '2000',
  QUERY_REDIS_BREAKER_BREAK_DURATION_MS: '500',
  QUERY_REDIS_BREAKER_BREAK_DURATION_MS_MAX: '1000',
  QUERY_REDIS_BREAKER_PROBES: '1',
  QUERY_S3_ATTEMPT_TIMEOUT_MS: '3000',
  QUERY_S3_BREAKER_MINIMUM_CALLS: '4',
  QUERY_S3_BREAKER_WINDOW_MS: '5000',
  QUERY_S3_BREAKER_BREAK_DURATION_MS: '500',
  QUERY_S3_BREAKER_BREAK_DURATION_MS_MAX: '1000',
  QUERY_S3_BREAKER_PROBES: '1',
};

async function start(part: 'api' | 'worker', more: Record<string, string> = {}): Promise<RunningService> {
  const config = readQueryConfig(
    testEnvironment(lake, {
      REDIS_URL: redis.url,
      ...quick,
      QUERY_LOCK_MS: '2000',
      AWS_ENDPOINT_URL_S3: s3.url,
      LOG_LEVEL: 'error',
      ...more,
    }),
  );
  const logger = createLogger({ name: `query-${part}`, level: config.LOG_LEVEL });
  const module = part === 'api' ? QueryApiModule.of(config, logger) : QueryWorkerModule.of(config, logger);
  return await startService({ name: `query-${part}`, module, port: 0, logger, ...(part === 'api' ? { admission: 'http' } : {}) });
}

interface Answer {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly tookMs: number;
  readonly body: {
    readonly id: string;
    readonly type: string;
    readonly state: string;
    readonly results: { readonly rows: unknown[][] };
    readonly error: { readonly type: string };
  };
}

async function ask(path: string, init: RequestInit = {}, service: RunningService = api): Promise<Answer> {
  const before = performance.now();
  const response = await fetch(service.url + path, { ...init, signal: AbortSignal.timeout(60_000) });
  const body = (await response.json()) as Answer['body'];
  return { status: response.status, retryAfter: response.headers.get('retry-after'), tookMs: performance.now() - before, body };
}

async function send(sql: string, headers: Record<string, string> = {}, service: RunningService = api): Promise<Answer> {
  return await ask(
    '/v1/queries',
    { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify({ sql }) },
    service,
  );
}

const recovery = { timeout: 30_000, interval: 200 };

beforeAll(async () => {
  lake = await openTestLake();
  await lake.land(conformanceRows);
  redis = await FaultProxy.start({ protocol: 'tcp', target: testParts.redisUrl });
  s3 = await FaultProxy.start({ protocol: 'http', target: testParts.endpoint });
  [api, worker] = await Promise.all([start('api'), start('worker')]);
});
beforeEach(async () => {
  await Promise.all([redis.clear(), s3.clear()]);
});
afterAll(async () => {
  await Promise.all([redis?.clear(), s3?.clear()]);
  await Promise.all([api?.close(), worker?.close()]);
  await Promise.all([redis?.close(), s3?.close()]);
  await lake?.close();
});

describe('Redis', () => {
  it.each(['refuse', 'black-hole', 'reset'] as const)(
    'a query is refused with 503 while Redis has the fault %s, and is taken again by itself afterwards',
    async (kind) => {
      const fault = await redis.inject({ kind });
      const refused = await send('SELECT 1');
      expect(refused.status).toBe(503);
      expect(refused.body.type).toBe('urn:millrace:problem:unavailable');
      expect(Number(refused.retryAfter)).toBeGreaterThan(0);
      expect((await ask(`/v1/queries/${crypto.randomUUID()}`)).status).toBe(503);
      // Readiness is asked once a second for all who probe.
      await expect.poll(async () => (await ask('/health/ready')).status, recovery).toBe(503);
      expect((await ask('/v1/tables')).status).toBe(200);
      // Usage is optional: the reports are listed without it.
      expect((await ask('/v1/reports')).body).toMatchObject({
        reports: expect.arrayContaining([expect.objectContaining({ name: 'sales-by-genre', usage: null })]) as unknown[],
      });
      await fault.clear();
      await expect.poll(async () => (await send('SELECT 1')).status, recovery).toBe(202);
      await expect.poll(async () => (await ask('/health/ready')).status, recovery).toBe(200);
      // The worker is back, too, and runs the accepted queries.
      const { body } = await send('SELECT count(*) FROM purchases');
      await expect.poll(async () => (await ask(`/v1/queries/${body.id}?wait=10`)).body.state, { timeout: 60_000 }).toBe('succeeded');
    },
  );

  it('a query that runs while Redis is gone ends once, and its end is known afterwards', async () => {
    await expect.poll(async () => (await send('SELECT 1')).status, recovery).toBe(202);
    const { body } = await send('SELECT count(*) AS n FROM range(30000000) a(x), range(5) b(y) WHERE a.x % 7 = b.y % 5');
    await expect.poll(async () => (await ask(`/v1/queries/${body.id}`)).body.state, recovery).toBe('running');
    const fault = await redis.inject({ kind: 'refuse' });
    expect((await ask(`/v1/queries/${body.id}`)).status).toBe(503);
    await fault.clear();
    await expect.poll(async () => (await ask(`/v1/queries/${body.id}`)).body.state, { timeout: 60_000, interval: 200 }).toBe('succeeded');
  });

  it('none of many accepted queries is lost when Redis fails among them', async () => {
    await expect.poll(async () => (await send('SELECT 1')).status, recovery).toBe(202);
    const accepted = await Promise.all(
      Array.from({ length: 10 }, async (_, n) => await send(`SELECT count(*) + ${n} AS n FROM range(300000)`)),
    );
    expect(new Set(accepted.map(({ status }) => status))).toEqual(new Set([202]));
    const fault = await redis.inject({ kind: 'refuse' });
    await expect.poll(async () => (await send('SELECT 1')).status, recovery).toBe(503);
    await fault.clear();
    for (const { body } of accepted)
      await expect.poll(async () => (await ask(`/v1/queries/${body.id}?wait=10`)).body.state, { timeout: 60_000 }).toBe('succeeded');
  });

  it('the API starts without Redis, says so, and takes queries once Redis is there', async () => {
    const fault = await redis.inject({ kind: 'refuse' });
    const late = await start('api', { QUERY_QUEUE_NAME: `late-${lake.database}` });
    try {
      expect(await send('SELECT 1', {}, late)).toMatchObject({ status: 503, body: { type: 'urn:millrace:problem:unavailable' } });
      await expect.poll(async () => (await ask('/health/ready', {}, late)).status, recovery).toBe(503);
      await fault.clear();
      await expect.poll(async () => (await send('SELECT 1', {}, late)).status, recovery).toBe(202);
    } finally {
      await late.close();
    }
  });
});

describe('S3', () => {
  it('a report without S3 is answered by its last good answer with its age; one never answered before fails', async () => {
    const report = async (from: string): Promise<Answer['body']> =>
      (
        await ask('/v1/queries', {
          method: 'POST',
          headers: { 'content-type': 'application/json', prefer: 'wait=60' },
          body: JSON.stringify({ report: 'sales-by-genre', parameters: { from } }),
        })
      ).body;
    const good = await report('2019-01-01');
    expect(good.state).toBe('succeeded');
    const fault = await s3.inject({ kind: 'refuse' });
    const stale = await report('2019-01-01');
    expect(stale).toMatchObject({
      state: 'succeeded',
      stale: { asOf: expect.stringMatching(/Z$/) as string, ageSeconds: expect.any(Number) as number },
      results: { rows: good.results.rows },
    });
    expect((await ask(`/v1/queries/${stale.id}/results`)).body).toEqual(good.results);
    expect(await report('2019-01-02')).toMatchObject({ state: 'failed', error: { type: 'urn:millrace:problem:unavailable' } });
    await fault.clear();
    await expect.poll(async () => 'stale' in (await report('2019-01-01')), { timeout: 60_000, interval: 500 }).toBe(false);
  });

  it.each([{ kind: 'refuse' }, { kind: 'black-hole' }, { kind: 'status', status: 503 }] as const)(
    'a query fails as unavailable while S3 has the fault $kind, large results cannot be read, and both recover',
    async (fault) => {
      const before = await send('SELECT n FROM range(1000) t(n)', { prefer: 'wait=30' });
      const small = await send('SELECT 1 AS one', { prefer: 'wait=30' });
      expect([before.body.state, small.body.state]).toEqual(['succeeded', 'succeeded']);
      const active = await s3.inject(fault);
      expect((await ask(`/v1/queries/${before.body.id}/results`)).body.type).toBe('urn:millrace:problem:unavailable');
      // Its record in Redis has the rows.
      expect((await ask(`/v1/queries/${small.body.id}/results`)).status).toBe(200);
      const failed = await send('SELECT count(*) FROM purchases', { prefer: 'wait=60' });
      expect(failed.body).toMatchObject({ state: 'failed', error: { type: 'urn:millrace:problem:unavailable' } });
      await active.clear();
      await expect.poll(async () => (await ask(`/v1/queries/${before.body.id}/results`)).status, recovery).toBe(200);
      await expect
        .poll(async () => (await send('SELECT count(*) FROM purchases', { prefer: 'wait=30' })).body.state, recovery)
        .toBe('succeeded');
    },
  );
});

describe("DuckDB's reads of S3", () => {
  it('DuckDB gives up unanswered reads within a query, a report is stale, and the circuit opens and closes by itself', async () => {
    // The default circuit, except for the calls that it needs: a statement counts after its tries, here some 3.5 s. Kept files would be
    // read from memory.
    const more = {
      QUERY_QUEUE_NAME: `reads-${lake.database}`,
      QUERY_DUCKDB_READ_SECONDS: '1',
      QUERY_DUCKDB_CACHE_MB: '0',
      QUERY_DUCKDB_READS_BREAKER_MINIMUM_CALLS: '2',
      QUERY_DUCKDB_READS_BREAKER_PROBES: '1',
    };
    const [ownApi, ownWorker] = await Promise.all([start('api', more), start('worker', more)]);
    const query = async (request: object): Promise<Answer['body']> =>
      (
        await ask(
          '/v1/queries',
          { method: 'POST', headers: { 'content-type': 'application/json', prefer: 'wait=60' }, body: JSON.stringify(request) },
          ownApi,
        )
      ).body;
    const circuit = async (): Promise<unknown> =>
      (
        (await ask('/health/ready', {}, ownWorker)).body as unknown as { dependencies: { name: string; status: string }[] }
      ).dependencies.find(({ name }) => name === 'circuit-duckdb-reads')?.status;
    const statement = { sql: 'SELECT max(genre) FROM purchases' };
    try {
      const good = await query({ report: 'sales-by-genre' });
      expect(good.state).toBe('succeeded');
      const fault = await s3.inject({ kind: 'black-hole' }, { when: { method: 'GET', path: /\/purchases\/.*\.parquet/ } });
      expect(await query(statement)).toMatchObject({
        state: 'failed',
        error: { type: 'urn:millrace:problem:unavailable', detail: 'A file of the table could not be read from S3.' },
      });
      expect(await query({ report: 'sales-by-genre' })).toMatchObject({
        state: 'succeeded',
        stale: { asOf: expect.stringMatching(/Z$/) as string },
        results: { rows: good.results.rows },
      });
      await expect.poll(circuit, recovery).toBe('down');
      const met = fault.hits;
      expect(await query(statement)).toMatchObject({ state: 'failed', error: { type: 'urn:millrace:problem:unavailable' } });
      expect(fault.hits).toBe(met);
      await fault.clear();
      await expect.poll(async () => (await query(statement)).state, recovery).toBe('succeeded');
      await expect.poll(circuit, recovery).toBe('up');
    } finally {
      await s3.clear();
      await Promise.all([ownApi.close(), ownWorker.close()]);
    }
  });
});

describe('a dependency of one engine', () => {
  /** Nothing times out: a stuck query stays until it is cancelled. */
  const patient = Object.fromEntries(
    ['GLUE', 'ATHENA'].flatMap((name) => [
      [`QUERY_${name}_ATTEMPT_TIMEOUT_MS`, '120000'],
      [`QUERY_${name}_TOTAL_TIMEOUT_MS`, '120000'],
      [`QUERY_${name}_BREAKER_MINIMUM_CALLS`, '1000'],
    ]),
  );

  it.each([
    { dependency: 'GLUE', stuck: 'duckdb', spared: 'athena', path: undefined },
    { dependency: 'ATHENA', stuck: 'athena', spared: 'duckdb', path: undefined },
    // The files of the table: results are on S3, too.
    { dependency: 'S3', stuck: 'duckdb', spared: 'athena', path: /\/purchases\/.*\.parquet/ },
  ])(
    'queries that are stuck in $stuck because $dependency does not answer do not keep $spared waiting',
    async ({ dependency, stuck, spared, path }) => {
      const proxy = await FaultProxy.start({ protocol: 'http', target: testParts.endpoint });
      const more = {
        ...patient,
        [`AWS_ENDPOINT_URL_${dependency}`]: proxy.url,
        QUERY_QUEUE_NAME: `stuck-${stuck}-${lake.database}`,
        QUERY_DUCKDB_CONCURRENCY: '2',
        QUERY_DUCKDB_CACHE_MB: '0',
        QUERY_DUCKDB_READ_SECONDS: '15',
        QUERY_ATHENA_CONCURRENCY: '2',
      };
      const [ownApi, ownWorker] = await Promise.all([start('api', more), start('worker', more)]);
      const query = async (engine: string, headers: Record<string, string> = {}): Promise<Answer['body']> =>
        (
          await ask(
            '/v1/queries',
            {
              method: 'POST',
              headers: { 'content-type': 'application/json', ...headers },
              // Each query must run separately.
              body: JSON.stringify({ sql: 'SELECT max(genre) FROM purchases', engine, cache: false }),
            },
            ownApi,
          )
        ).body;
      const stateOf = async ({ id }: Answer['body']): Promise<string> => (await ask(`/v1/queries/${id}`, {}, ownApi)).body.state;
      try {
        await proxy.inject({ kind: 'black-hole' }, path === undefined ? {} : { when: { path } });
        const waiting = [await query(stuck), await query(stuck), await query(stuck)];
        const states = async (): Promise<string[]> => (await Promise.all(waiting.map(stateOf))).toSorted();
        await expect.poll(states, recovery).toEqual(['queued', 'running', 'running']);
        expect(await query(spared, { prefer: 'wait=30' })).toMatchObject({ state: 'succeeded' });
        expect(await states()).toEqual(['queued', 'running', 'running']);
        await Promise.all(waiting.map(async ({ id }) => await ask(`/v1/queries/${id}`, { method: 'DELETE' }, ownApi)));
        await expect.poll(states, recovery).toEqual(['cancelled', 'cancelled', 'cancelled']);
      } finally {
        await proxy.clear();
        await Promise.all([ownApi.close(), ownWorker.close()]);
        await proxy.close();
      }
    },
  );
});
