import { createHash } from 'node:crypto';
import { createPipeline } from '@millrace/resilience';
import { authFrom, createLogger, startService, type RunningService } from '@millrace/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readQueryConfig } from './config.ts';
import { QueryApiModule } from './query-api.module.ts';
import { QueryWorkerModule } from './query-worker.module.ts';
import { QueryQueue } from './queries/query-queue.ts';
import { requestConnection, settled } from '@millrace/redis';
import { openTestIssuer, type TestIssuer } from '@millrace/testing';
import { openTestLake, testEnvironment, testParts, type TestLake } from './testing-lake.ts';

const sha256 = (key: string): string => createHash('sha256').update(key).digest('hex');
const keys = {
  MILLRACE_AUTH_API_KEYS: [
    `alice:${sha256('alice-key')}:queries:run`,
    `bob:${sha256('bob-key')}:queries:run`,
    `root:${sha256('root-key')}:admin`,
    `till:${sha256('till-key')}:purchases:write`,
  ].join(),
};

let lake: TestLake;
let issuers: readonly TestIssuer[];
let services: RunningService[];
let api: RunningService;
let open: RunningService;
let apiY: RunningService;
const lines: Record<string, unknown>[] = [];

async function start(name: 'query-api' | 'query-worker', more: Readonly<Record<string, string>>): Promise<RunningService> {
  const config = readQueryConfig(testEnvironment(lake, { LOG_LEVEL: 'info', ...more }));
  const logger = createLogger({
    name,
    level: 'info',
    stream: { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
  });
  const module = name === 'query-api' ? QueryApiModule.of(config, logger) : QueryWorkerModule.of(config, logger);
  const service = await startService({
    name,
    module,
    port: 0,
    logger,
    auth: authFrom(config),
    ...(name === 'query-api' ? { admission: 'http' } : {}),
  });
  services.push(service);
  return service;
}

/** A caller: one credential at one instance of the API. */
interface Caller {
  readonly service: RunningService;
  readonly credential?: string;
}

interface Answer {
  readonly status: number;
  /** Everything that a client can see, in one text. */
  readonly whole: string;
  readonly body: {
    readonly id: string;
    readonly state: string;
    readonly results?: { readonly rows: unknown[][]; readonly next?: string };
    readonly rows: unknown[][];
  };
}

async function ask({ service, credential }: Caller, path: string, init: RequestInit = {}): Promise<Answer> {
  const headers = {
    ...(init.headers as Record<string, string> | undefined),
    ...(credential === undefined ? {} : { authorization: `Bearer ${credential}` }),
  };
  const response = await fetch(service.url + path, { ...init, headers });
  const text = await response.text();
  const shown = [...response.headers].filter(([name]) => name !== 'date');
  const isJson = text !== '' && /^application\/(problem\+)?json/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    whole: JSON.stringify([response.status, shown, text]),
    body: (isJson ? JSON.parse(text) : {}) as Answer['body'],
  };
}

async function submit(
  caller: Caller,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
  path = '/v1/queries',
): Promise<Answer> {
  return await ask(caller, path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}

/** Every route to a query. */
const routes: readonly (readonly [name: string, suffix: string, init: RequestInit])[] = [
  ['its state', '', {}],
  ['a wait for its end', '?wait=30', {}],
  ['its state with a tag', '', { headers: { 'if-none-match': '*' } }],
  ['its head', '', { method: 'HEAD' }],
  ['its results', '/results', {}],
  ['a page of its results', '/results?limit=1&cursor=CURSOR', {}],
  ['its results as NDJSON', '/results', { headers: { accept: 'application/x-ndjson' } }],
  ['its results as CSV', '/results', { headers: { accept: 'text/csv' } }],
  ['its results as Parquet', '/results', { headers: { accept: 'application/vnd.apache.parquet' } }],
  ['links to its results', '/results/links', {}],
  ['the head of its results', '/results', { method: 'HEAD' }],
  ['cancelling it', '', { method: 'DELETE' }],
];

async function viaAll(caller: Caller, id: string, cursor: string): Promise<string[]> {
  const answers: string[] = [];
  for (const [name, suffix, init] of routes) {
    const { whole } = await ask(caller, `/v1/queries/${id}${suffix.replace('CURSOR', cursor)}`, init);
    answers.push(`${name}: ${whole.replaceAll(id, 'ID')}`);
  }
  return answers;
}

beforeAll(async () => {
  lake = await openTestLake();
  services = [];
  issuers = await Promise.all([openTestIssuer('https://x.example'), openTestIssuer('https://y.example')]);
  [api, apiY, open] = await Promise.all([
    start('query-api', { ...keys, ...issuers[0]!.settings }),
    start('query-api', { ...keys, ...issuers[1]!.settings }),
    start('query-api', {}),
    start('query-worker', keys),
  ]);
});
afterAll(async () => {
  await Promise.all(services.map(async (service) => await service.close()));
  await Promise.all(issuers.map(async (issuer) => await issuer.close()));
  await lake?.close();
});

/** Five different principals, some of which share a name or a form of credential. */
function callers(): Readonly<Record<'aliceX' | 'aliceY' | 'aliceKey' | 'bobX' | 'bobKey', Caller>> {
  const [x, y] = issuers as [TestIssuer, TestIssuer];
  return {
    aliceX: { service: api, credential: x.tokenFor('alice', 'queries:run') },
    aliceY: { service: apiY, credential: y.tokenFor('alice', 'queries:run') },
    aliceKey: { service: api, credential: 'alice-key' },
    bobX: { service: api, credential: x.tokenFor('bob', 'queries:run') },
    bobKey: { service: apiY, credential: 'bob-key' },
  };
}

const root = (): Caller => ({ service: api, credential: 'root-key' });
const three = 'SELECT n FROM range(3) t(n) ORDER BY n';
const unknownId = '00000000-0000-4000-8000-000000000000';

/** A finished query of three rows, and the cursor of its second page. */
async function finished(caller: Caller): Promise<{ id: string; cursor: string }> {
  const { status, body } = await submit(caller, { sql: three }, { prefer: 'wait=30' }, '/v1/queries?limit=1');
  expect([status, body.state, body.results?.rows]).toEqual([200, 'succeeded', [['0']]]);
  return { id: body.id, cursor: body.results!.next! };
}

describe('a query of another principal', () => {
  it(
    'a query of another principal is answered by every route as an id that does not exist, byte for byte',
    { timeout: 120_000 },
    async () => {
      const all = Object.entries(callers());
      for (const [name, owner] of all) {
        const { id, cursor } = await finished(owner);
        for (const [stranger, caller] of all.filter(([other]) => other !== name)) {
          expect([stranger, await viaAll(caller, id, cursor)]).toEqual([stranger, await viaAll(caller, unknownId, cursor)]);
        }
        expect((await ask(owner, `/v1/queries/${id}/results?cursor=${cursor}`)).body.rows).toEqual([['1'], ['2']]);
      }
    },
  );

  it('a query is not cancelled by a stranger, and is cancelled by its principal', async () => {
    const { aliceX, bobX } = callers();
    const { body } = await submit(aliceX, {
      sql: 'SELECT count(*) FROM range(1000000000) a(x), range(1000) b(y) WHERE a.x % 7 = b.y % 5',
      timeoutMs: 60_000,
    });
    expect((await ask(bobX, `/v1/queries/${body.id}`, { method: 'DELETE' })).status).toBe(404);
    expect((await ask(aliceX, `/v1/queries/${body.id}`)).body.state).toMatch(/^(queued|running)$/);
    expect((await ask(aliceX, `/v1/queries/${body.id}`, { method: 'DELETE' })).status).toBeLessThan(300);
    expect((await ask(aliceX, `/v1/queries/${body.id}?wait=30`)).body.state).toBe('cancelled');
  });

  it('a cursor works only with the id of its query, and for a caller that may see the query', async () => {
    const { aliceX, bobX } = callers();
    const [hers, his] = [await finished(aliceX), await finished(bobX)];
    expect((await ask(bobX, `/v1/queries/${his.id}/results?cursor=${hers.cursor}`)).status).toBe(400);
    expect((await ask(bobX, `/v1/queries/${hers.id}/results?cursor=${his.cursor}`)).status).toBe(404);
  });
});

describe('the list of queries', () => {
  it('the list holds the queries of the caller and no other, page by page; admin finds those of one principal', async () => {
    const { bobX, aliceKey } = callers();
    const mark = crypto.randomUUID();
    const ids: string[] = [];
    for (let n = 0; n < 5; n += 1) ids.push((await submit(bobX, { sql: `SELECT '${mark}', ${n}` }, { prefer: 'wait=30' })).body.id);
    await submit(aliceKey, { sql: `SELECT '${mark}'` }, { prefer: 'wait=30' });
    const listed = async (caller: Caller, query: string): Promise<{ ids: string[]; next?: string }> => {
      const { status, body } = await ask(caller, `/v1/queries?${query}`);
      expect(status).toBe(200);
      const { queries, next } = body as unknown as { queries: { id: string }[]; next?: string };
      return { ids: queries.map(({ id }) => id), ...(next === undefined ? {} : { next }) };
    };
    const first = await listed(bobX, `text=${mark}&limit=3`);
    const second = await listed(bobX, `text=${mark}&limit=3&cursor=${first.next}`);
    expect([...first.ids, ...second.ids]).toEqual(ids.toReversed());
    expect((await listed(bobX, `text=${mark}&state=succeeded&engine=duckdb&from=2026-01-01T00:00:00Z`)).ids).toHaveLength(5);
    expect((await listed(bobX, `text=${mark}&state=failed`)).ids).toEqual([]);
    expect((await listed(aliceKey, `text=${mark}`)).ids).toHaveLength(1);
    expect((await listed(root(), `text=${mark}`)).ids).toHaveLength(6);
    expect((await listed(root(), `text=${mark}&principal=bob`)).ids).toEqual(ids.toReversed());
    expect((await ask(bobX, '/v1/queries?limit=0')).status).toBe(400);
  });
});

describe('long statements', () => {
  it('statements that fill the slots of their caller leave one slot to others; those that wait can be cancelled', async () => {
    const { aliceKey, bobKey } = callers();
    const bomb = 'SELECT count(*) FROM range(1000000000) a(x), range(1000) b(y) WHERE a.x % 7 = b.y % 5';
    const bombs: string[] = [];
    for (let n = 0; n < 6; n += 1) bombs.push((await submit(aliceKey, { sql: bomb, timeoutMs: 60_000 })).body.id);
    const stateOf = async (id: string, wait = 0): Promise<string> => (await ask(aliceKey, `/v1/queries/${id}?wait=${wait}`)).body.state;
    const states = async (): Promise<string[]> => await Promise.all(bombs.map(async (id) => await stateOf(id)));
    await expect.poll(async () => (await states()).filter((state) => state === 'running').length, { timeout: 20_000 }).toBe(2);
    for (let n = 0; n < 3; n += 1) {
      const { body } = await submit(bobKey, { sql: three }, { prefer: 'wait=30' });
      expect([body.state, body.results?.rows.length]).toEqual(['succeeded', 3]);
    }
    expect((await states()).toSorted()).toEqual(['queued', 'queued', 'queued', 'queued', 'running', 'running']);
    for (const id of bombs) await ask(aliceKey, `/v1/queries/${id}`, { method: 'DELETE' });
    expect(await Promise.all(bombs.map(async (id) => await stateOf(id, 30)))).toEqual(Array.from(bombs, () => 'cancelled'));
  });
});

describe('an Idempotency-Key', () => {
  it('an Idempotency-Key of several principals is one query for each; a repetition elsewhere is the same query', async () => {
    const all = callers();
    const key = { 'idempotency-key': 'nightly-2026-11-27', prefer: 'wait=30' };
    const ids: string[] = [];
    for (const [name, caller] of Object.entries(all)) {
      const { status, body } = await submit(caller, { sql: `SELECT '${name}' AS who` }, key);
      expect([status, body.results?.rows]).toEqual([200, [[name]]]);
      ids.push(body.id);
    }
    expect(new Set(ids).size).toBe(ids.length);
    // Two instances that share nothing but Redis.
    const elsewhere: Caller = { service: apiY, credential: 'alice-key' };
    expect((await submit(elsewhere, { sql: "SELECT 'aliceKey' AS who" }, key)).body.id).toBe(ids[2]);
    expect((await submit(elsewhere, { sql: "SELECT 'other' AS who" }, key)).status).toBe(422);
  });

  it('an Idempotency-Key does not reveal its query: the id does not derive from public values', async () => {
    const { aliceKey } = callers();
    const { body } = await submit(aliceKey, { sql: three }, { 'idempotency-key': 'daily' });
    const computed = createHash('sha256').update('alice\ndaily').digest('hex');
    expect(body.id.slice(0, 8)).not.toBe(computed.slice(0, 8));
  });

  it('an Idempotency-Key gives the same query on instances with the same QUERY_ID_SECRET, and another one elsewhere', async () => {
    const secret = { ...keys, QUERY_ID_SECRET: 'a secret of more than 32 characters' };
    const [one, other] = await Promise.all([start('query-api', secret), start('query-api', secret)]);
    const ids = await Promise.all(
      [one, other, api].map(
        async (service) => (await submit({ service, credential: 'bob-key' }, { sql: three }, { 'idempotency-key': 'configured' })).body.id,
      ),
    );
    expect([ids[0] === ids[1], ids[0] === ids[2]]).toEqual([true, false]);
    expect(JSON.stringify(lines)).not.toContain(secret.QUERY_ID_SECRET);
  });
});

describe('the scope admin', () => {
  it('admin sees the queries of every principal, also without queries:run, and may not submit with it alone', async () => {
    const { aliceX, bobKey } = callers();
    for (const caller of [aliceX, bobKey]) {
      const { id, cursor } = await finished(caller);
      expect((await ask(root(), `/v1/queries/${id}?wait=1`)).body.state).toBe('succeeded');
      expect((await ask(root(), `/v1/queries/${id}/results?cursor=${cursor}`)).body.rows).toEqual([['1'], ['2']]);
    }
    expect((await submit(root(), { sql: three })).status).toBe(403);
    expect((await ask({ service: api, credential: 'till-key' }, `/v1/queries/${unknownId}`)).status).toBe(403);
  });

  it('admin and an open service show a query from before principals were recorded; other principals do not see it', async () => {
    const redis = requestConnection({ url: testParts.redisUrl }, [createPipeline({ name: 'redis' })], () => undefined);
    await settled(redis, 5000);
    const settings = {
      name: `test-${lake.database}`,
      engines: ['duckdb' as const],
      jobsMax: 1000,
      retentionSeconds: 600,
      retentionJobsMax: 100,
    };
    const queue = new QueryQueue(redis, settings, async (_call, run) => await run(new AbortController().signal));
    const id = crypto.randomUUID();
    await queue.submit(id, { sql: 'SELECT 1', parameters: [], engine: 'duckdb', timeoutMs: 10_000, submittedAt: Date.now() });
    await queue.close();
    for (const caller of Object.values(callers())) expect((await ask(caller, `/v1/queries/${id}`)).status).toBe(404);
    expect((await ask(root(), `/v1/queries/${id}?wait=30`)).body.state).toBe('succeeded');
    expect((await ask({ service: open }, `/v1/queries/${id}`)).body.state).toBe('succeeded');
  });
});

/** Lines of one kind about one query. */
const about = (id: string, audit: string): Record<string, unknown>[] =>
  lines.filter((line) => line['queryId'] === id && line['audit'] === audit);

describe('the log', () => {
  const principal = { kind: 'jwt', issuer: 'https://x.example', subject: 'alice' };

  it('the log has a line at both ends of a query, with caller, statement, engine, time and bytes', async () => {
    const { aliceX } = callers();
    const ends: readonly (readonly [sql: string, state: string, figures: object])[] = [
      ['SELECT ? AS one', 'succeeded', { rows: 1, bytesScanned: expect.any(Number) as number }],
      ['SELECT nothing + ?', 'failed', { rows: null, bytesScanned: null }],
    ];
    for (const [sql, state, figures] of ends) {
      const { body } = await submit(aliceX, { sql, parameters: ['a private value'] }, { prefer: 'wait=30' });
      expect(body.state).toBe(state);
      await expect.poll(() => about(body.id, 'query-ended')).toHaveLength(1);
      const common = { principal, engine: 'duckdb', statement: sql, parameters: 1 };
      expect(about(body.id, 'query-submitted')).toMatchObject([common]);
      expect(about(body.id, 'query-ended')).toMatchObject([{ ...common, ...figures, state, executionMs: expect.any(Number) as number }]);
    }
    expect(JSON.stringify(lines)).not.toContain('a private value');
  });

  it('the log names the administrator who cancels', async () => {
    const { aliceX } = callers();
    const { body } = await submit(aliceX, {
      sql: 'SELECT count(*) FROM range(1000000000) a(x), range(1000) b(y) WHERE a.x % 7 = b.y % 5',
      timeoutMs: 60_000,
    });
    await ask(root(), `/v1/queries/${body.id}`, { method: 'DELETE' });
    expect((await ask(aliceX, `/v1/queries/${body.id}?wait=30`)).body.state).toBe('cancelled');
    expect(about(body.id, 'query-cancel-requested')).toMatchObject([
      { principal, cancelledBy: { kind: 'api-key', issuer: '', subject: 'root' } },
    ]);
    await expect.poll(() => about(body.id, 'query-ended')).toMatchObject([{ principal, state: 'cancelled' }]);
  });
});
