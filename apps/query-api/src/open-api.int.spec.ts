import { queryApi, queryWorkerApi } from '@millrace/contracts';
import { DocumentCheck } from '@millrace/contracts/testing';
import { createLogger, startService, type RunningService } from '@millrace/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readQueryConfig } from './config.ts';
import { conformanceRows } from './engines/query-engine.conformance.ts';
import { QueryApiModule } from './query-api.module.ts';
import { QueryWorkerModule } from './query-worker.module.ts';
import { openTestLake, testEnvironment, type TestLake } from './testing-lake.ts';

let lake: TestLake;
let api: RunningService;
let worker: RunningService;
let check: DocumentCheck;

beforeAll(async () => {
  lake = await openTestLake();
  await lake.land(conformanceRows);
  const config = readQueryConfig(testEnvironment(lake));
  const logger = createLogger({ name: 'query-api', level: config.LOG_LEVEL });
  [api, worker] = await Promise.all([
    startService({ name: 'query-api', module: QueryApiModule.of(config, logger), api: queryApi, port: 0, logger }),
    startService({ name: 'query-worker', module: QueryWorkerModule.of(config, logger), api: queryWorkerApi, port: 0, logger }),
  ]);
  check = await DocumentCheck.of(api.url);
});
afterAll(async () => {
  await Promise.all([api?.close(), worker?.close()]);
  await lake?.close();
});

interface Given {
  readonly status: number;
  readonly faults: string[];
  readonly id: string;
}

async function answerTo(
  method: string,
  path: string,
  { body, headers = {} }: { readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Given> {
  const sent =
    body === undefined ? { headers } : { headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) };
  const response = await fetch(api.url + path, { method, ...sent });
  const text = await response.text();
  const { status } = response;
  const contentType = response.headers.get('content-type');
  const faults = check.answerFaults({ method, path: path.split('?')[0]!, status, contentType, body: text });
  const { id = '' } = contentType?.startsWith('application/json') === true ? (JSON.parse(text) as { id?: string }) : {};
  return { status, faults, id };
}

async function finished(sql: string): Promise<string> {
  return (await answerTo('POST', '/v1/queries', { body: { sql }, headers: { prefer: 'wait=30' } })).id;
}

describe('the OpenAPI document', () => {
  it('the document describes exactly the routes of the service', () => {
    // The routes of bull-board and of the console belong to their pages.
    const routes = api.routes.filter(({ path }) => !/^\/(admin\/queues|console)/.test(path));
    expect(routes.length).toBeLessThan(api.routes.length);
    expect(check.routeFaults(routes)).toEqual([]);
  });

  it('the document of the worker describes exactly the routes of the worker', async () => {
    expect((await DocumentCheck.of(worker.url)).routeFaults(worker.routes)).toEqual([]);
  });

  it.each([
    '/v1/queries',
    '/v1/queries?state=failed&engine=duckdb&limit=1',
    '/v1/tables',
    '/v1/tables/purchases',
    '/v1/reports',
    '/v1/reports/top-books',
    '/v1/engines',
    '/v1/caller',
    '/health/ready',
    '/admin/pipelines',
  ])('the document describes the answer of %s', async (path) => {
    expect(await answerTo('GET', path)).toMatchObject({ status: 200, faults: [] });
  });

  it.each([
    ['a statement', { sql: 'SELECT 1 AS one' }, {}, 202],
    ['a statement with a wait', { sql: 'SELECT genre, user_age, 1.5 AS d, NULL AS n FROM purchases' }, { prefer: 'wait=30' }, 200],
    ['a report', { report: 'sales-by-genre', parameters: { from: '2019-01-01' } }, { prefer: 'wait=30' }, 200],
    ['a statement that fails', { sql: 'SELECT no_such_column FROM purchases' }, { prefer: 'wait=30' }, 200],
    ['a statement that is not allowed', { sql: 'DROP TABLE purchases' }, {}, 400],
    ['a statement that cannot be parsed', { sql: 'SELEC' }, {}, 400],
    ['a wrong field', { sql: 'SELECT 1', price: 1 }, {}, 400],
    ['a wrong key', { sql: 'SELECT 1' }, { 'idempotency-key': 'a b' }, 400],
  ])('the document describes the answer to %s', async (_what, body, headers, status) => {
    expect(await answerTo('POST', '/v1/queries', { body, headers })).toMatchObject({ status, faults: [] });
  });

  it('the document describes a table and a report that do not exist', async () => {
    for (const path of ['/v1/tables/nothing', '/v1/reports/nothing'])
      expect(await answerTo('GET', path)).toMatchObject({ status: 404, faults: [] });
    expect(await answerTo('GET', '/v1/tables/purchases?sample=101')).toMatchObject({ status: 400, faults: [] });
  });

  it('the document describes a list of queries and a wrong filter', async () => {
    await finished('SELECT 1 AS one');
    expect(await answerTo('GET', '/v1/queries?text=one&limit=1')).toMatchObject({ status: 200, faults: [] });
    expect(await answerTo('GET', '/v1/queries?state=unknown')).toMatchObject({ status: 400, faults: [] });
  });

  it('the document describes the state, the results and the cancellation of a query', async () => {
    const id = await finished('SELECT n FROM range(5) t(n)');
    expect(await answerTo('GET', `/v1/queries/${id}`)).toMatchObject({ status: 200, faults: [] });
    expect(await answerTo('GET', `/v1/queries/${id}`, { headers: { 'if-none-match': '*' } })).toMatchObject({ status: 304, faults: [] });
    expect(await answerTo('GET', `/v1/queries/${id}/results?limit=2`)).toMatchObject({ status: 200, faults: [] });
    expect(await answerTo('GET', `/v1/queries/${id}/results/links`)).toMatchObject({ status: 200, faults: [] });
    expect(await answerTo('GET', `/v1/queries/${id}/results/links?seconds=3601`)).toMatchObject({ status: 400, faults: [] });
    for (const accept of ['text/csv', 'application/x-ndjson', 'application/vnd.apache.parquet', 'application/vnd.apache.arrow.stream']) {
      expect(await answerTo('GET', `/v1/queries/${id}/results`, { headers: { accept } })).toMatchObject({ status: 200, faults: [] });
    }
    expect(await answerTo('GET', `/v1/queries/${id}/results`, { headers: { accept: 'image/png' } })).toMatchObject({
      status: 406,
      faults: [],
    });
    expect(await answerTo('DELETE', `/v1/queries/${id}`)).toMatchObject({ status: 200, faults: [] });
    const failed = await finished('SELECT no_such_column FROM purchases');
    for (const path of ['results', 'results/links'])
      expect(await answerTo('GET', `/v1/queries/${failed}/${path}`)).toMatchObject({ status: 409, faults: [] });
    expect(await answerTo('GET', '/v1/queries/00000000-0000-4000-8000-000000000000')).toMatchObject({ status: 404, faults: [] });
  });
});
