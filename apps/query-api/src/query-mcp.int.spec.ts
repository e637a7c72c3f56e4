import { createHash } from 'node:crypto';
import { queryApi, queryLimits } from '@millrace/contracts';
import { requestConnection, settled, type RedisClient } from '@millrace/redis';
import { createPipeline } from '@millrace/resilience';
import { authFrom, createLogger, startService, type RunningService } from '@millrace/runtime';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readQueryConfig } from './config.ts';
import { conformanceRows } from './engines/query-engine.conformance.ts';
import { QueryApiModule } from './query-api.module.ts';
import { QueryWorkerModule } from './query-worker.module.ts';
import { DailyBudget } from './queries/budget/daily-budget.ts';
import { openTestLake, testEnvironment, testParts, type TestLake } from './testing-lake.ts';

const sha256 = (key: string): string => createHash('sha256').update(key).digest('hex');
const dailyBytesMax = 1024 * 1024;
const settings = {
  MILLRACE_AUTH_API_KEYS: [
    `agent:${sha256('agent-key')}:queries:run`,
    `follower:${sha256('follower-key')}:queries:run`,
    `other:${sha256('other-key')}:queries:run`,
    `spender:${sha256('spender-key')}:queries:run`,
    `till:${sha256('till-key')}:purchases:write`,
  ].join(),
  QUERY_DAILY_BYTES_MAX: String(dailyBytesMax),
};

let lake: TestLake;
let services: RunningService[] = [];
let redis: RedisClient;
let api: RunningService;
const clients: Client[] = [];

async function start(name: 'query-api' | 'query-worker'): Promise<RunningService> {
  const config = readQueryConfig(testEnvironment(lake, settings));
  const logger = createLogger({ name, level: config.LOG_LEVEL });
  return await startService({
    name,
    module: name === 'query-api' ? QueryApiModule.of(config, logger) : QueryWorkerModule.of(config, logger),
    port: 0,
    logger,
    auth: authFrom(config),
    bodyBytesMax: queryLimits.bodyBytesMax,
    ...(name === 'query-api' ? { admission: 'http', api: queryApi } : {}),
  });
}

async function connect(key: string | undefined, mode: 'legacy' | 'auto' = 'auto'): Promise<Client> {
  const client = new Client({ name: 'test', version: '1.0.0' }, { versionNegotiation: { mode } });
  const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
  await client.connect(new StreamableHTTPClientTransport(new URL(`${api.url}/mcp`), { requestInit: { headers } }));
  clients.push(client);
  return client;
}

interface ToolAnswer {
  readonly isError: boolean;
  readonly text: string;
  // The tests assert shapes.
  readonly content: Record<string, unknown> & { readonly id: string };
}

async function call(client: Client, name: string, input: Record<string, unknown> = {}): Promise<ToolAnswer> {
  const result = await client.callTool({ name, arguments: input });
  const [first] = result.content;
  return {
    isError: result.isError === true,
    text: first?.type === 'text' ? first.text : '',
    content: (result.structuredContent ?? {}) as ToolAnswer['content'],
  };
}

async function post(body: string): Promise<number> {
  const headers = { authorization: 'Bearer agent-key', 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
  return (await fetch(`${api.url}/mcp`, { method: 'POST', headers, body })).status;
}

beforeAll(async () => {
  lake = await openTestLake();
  await lake.landBatch(conformanceRows);
  redis = requestConnection({ url: testParts.redisUrl }, [createPipeline({ name: 'redis' })], () => undefined);
  await settled(redis, 10_000);
  services = await Promise.all([start('query-api'), start('query-worker')]);
  api = services[0]!;
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map(async (client) => await client.close()));
});
afterAll(async () => {
  await Promise.all(services.map(async (service) => await service.close()));
  redis?.disconnect();
  await lake?.close();
});

describe('the tools of the query API', () => {
  it.each(['legacy', 'auto'] as const)('a client that negotiates the protocol by "%s" sees the tools with their inputs', async (mode) => {
    const client = await connect('agent-key', mode);
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual([
      'list_tables',
      'describe_table',
      'estimate_query',
      'run_query',
      'get_query',
      'follow_event',
    ]);
    expect(tools.find(({ name }) => name === 'run_query')).toMatchObject({
      annotations: { readOnlyHint: true },
      inputSchema: { type: 'object', required: ['sql'], properties: { rows: { minimum: 1, maximum: 1000 } } },
    });
    expect(client.getInstructions()).toContain('Read-only SQL');
  });

  it('list_tables and describe_table show columns, partitions and rows', async () => {
    const client = await connect('agent-key');
    const { content } = await call(client, 'list_tables');
    expect(content).toMatchObject({ tables: [{ name: 'purchases', database: lake.database }] });
    expect((await call(client, 'describe_table', { table: 'purchases' })).content).toMatchObject({
      rows: 3,
      partitionKey: 'dt',
      sample: null,
    });
  });

  it('estimate_query shows the bytes of a statement and runs nothing', async () => {
    const client = await connect('agent-key');
    const { content } = await call(client, 'estimate_query', { sql: 'SELECT genre FROM purchases' });
    expect(content).toMatchObject({ engine: 'duckdb', tables: [{ table: 'purchases', columns: ['genre'] }] });
    expect(content['bytesScanned']).toBeGreaterThan(0);
  });

  it('run_query gives the rows up to its cap and says whether the result has more', async () => {
    const client = await connect('agent-key');
    const sql = 'SELECT n FROM range(?) t(n) ORDER BY n';
    const capped = await call(client, 'run_query', { sql, parameters: [150] });
    expect(capped.content).toMatchObject({ state: 'succeeded', truncated: true, statistics: { rows: 150 } });
    expect(capped.content['rows']).toHaveLength(100);
    expect(JSON.parse(capped.text)).toEqual(capped.content);
    const whole = await call(client, 'run_query', { sql, parameters: [3], rows: 3 });
    expect(whole.content).toMatchObject({ truncated: false, rows: [['0'], ['1'], ['2']] });
  });

  it('get_query continues a query that run_query did not wait for, for its own caller only', async () => {
    const client = await connect('agent-key');
    const { content } = await call(client, 'run_query', { sql: 'SELECT 1 AS one', waitSeconds: 0 });
    expect(content).toMatchObject({ state: 'queued', hint: expect.stringContaining('get_query') as string });
    expect((await call(client, 'get_query', { id: content.id })).content).toMatchObject({ state: 'succeeded', rows: [[1]] });
    const stranger = await call(await connect('other-key'), 'get_query', { id: content.id });
    expect(stranger).toMatchObject({ isError: true, text: expect.stringMatching(/^not-found: There is no query/) as string });
  });

  it.each([
    ['a statement that is not allowed', { sql: 'DROP TABLE purchases' }, /^statement-not-allowed: /],
    ['a statement that names an unknown column', { sql: 'SELECT no_such_column FROM range(1)' }, /^statement-invalid: .*no_such_column/],
    ['a statement above its limit of bytes', { sql: 'SELECT * FROM purchases', maxBytesScanned: 1 }, /^scan-limit-exceeded: /],
    ['more rows than the cap', { sql: 'SELECT 1', rows: 5000 }, /rows must be at most 1000/],
    ['an unknown argument', { sql: 'SELECT 1', price: 1 }, /price is not a known field/],
  ])('%s is refused with a reason', async (_what, input, reason) => {
    expect(await call(await connect('agent-key'), 'run_query', input)).toMatchObject({
      isError: true,
      text: expect.stringMatching(reason) as string,
    });
  });
});

describe('follow_event', () => {
  it('follow_event shows the row of an event, and says when the table does not hold its offset yet', async () => {
    const other = await call(await connect('other-key'), 'run_query', { sql: 'SELECT event_id, dt FROM purchases ORDER BY 1', rows: 1 });
    const [[eventId, date] = []] = other.content['rows'] as string[][];
    const client = await connect('follower-key');
    const ahead = await call(client, 'follow_event', { eventId, partition: 0, offset: '1000', waitSeconds: 1 });
    expect(ahead).toMatchObject({ isError: false, content: { eventId, status: 'not-landed' } });
    const found = await call(client, 'follow_event', { eventId, date, partition: 0, offset: '0' });
    expect(found.content).toMatchObject({ status: 'queryable', table: 'purchases', row: { event_id: eventId, dt: date } });
    const elsewhere = await call(client, 'follow_event', { eventId, date: '1999-01-01' });
    expect(elsewhere.content).toMatchObject({ status: 'not-found' });
    const half = await call(client, 'follow_event', { eventId, partition: 0 });
    expect(half).toMatchObject({ isError: true, text: 'validation: offset is required: a receipt has both.' });
  });
});

describe('the rights of a caller of the tools', () => {
  it('a caller without credentials or without the scope is refused before the protocol begins', async () => {
    await expect(connect(undefined)).rejects.toThrow('HTTP 401');
    await expect(connect('till-key')).rejects.toThrow(/insufficient scope.*queries:run/i);
    const init = { method: 'POST', headers: { authorization: 'Bearer till-key', 'content-type': 'application/json' }, body: '{}' };
    expect((await fetch(`${api.url}/mcp`, init)).status).toBe(403);
  });

  it('the budget of the day counts for tools as for HTTP', async () => {
    const client = await connect('spender-key');
    const budget = new DailyBudget(redis, { name: `test-${lake.database}`, bytesMax: dailyBytesMax });
    await budget.add({ kind: 'api-key', issuer: '', subject: 'spender' }, dailyBytesMax, Date.now());
    const refused = await call(client, 'run_query', { sql: 'SELECT title FROM purchases' });
    expect(refused).toMatchObject({
      isError: true,
      text: expect.stringMatching(/^too-many-requests: .*QUERY_DAILY_BYTES_MAX.*midnight UTC/) as string,
    });
    const http = await fetch(`${api.url}/v1/queries`, {
      method: 'POST',
      headers: { authorization: 'Bearer spender-key', 'content-type': 'application/json' },
      body: JSON.stringify({ sql: 'SELECT author FROM purchases' }),
    });
    expect(http.status).toBe(429);
  });

  it('one request carries one message of at most the size of a body', async () => {
    const message = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
    expect(await post(JSON.stringify([message, message]))).toBe(400);
    expect(await post(JSON.stringify({ ...message, params: { text: 'x'.repeat(queryLimits.bodyBytesMax) } }))).toBe(413);
    expect(await post(JSON.stringify(message))).toBe(200);
  });
});
