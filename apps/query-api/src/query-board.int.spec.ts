import type { RunningService } from '@millrace/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, testKey } from './testing-api.ts';
import { openTestLake, type TestLake } from './testing-lake.ts';

let lake: TestLake;
let api: RunningService;
let queue: string;

beforeAll(async () => {
  lake = await openTestLake();
  const started = await startTestApi(lake, [testKey('analyst', 'queries:run'), testKey('root', 'admin')]);
  api = started.api;
  queue = `${started.config.QUERY_QUEUE_NAME}-duckdb`;
});
afterAll(async () => {
  await api?.close();
  await lake?.close();
});

async function get(path: string, key?: string, method = 'GET'): Promise<Response> {
  return await fetch(api.url + path, { method, headers: key === undefined ? {} : { authorization: `Bearer ${key}` } });
}

describe('/admin/queues', () => {
  it.each(['/admin/queues', '/admin/queues/queue/any', '/admin/queues/static/favicon.ico', '/admin/queues/api/queues'])(
    '%s needs a credential with the scope admin',
    async (path) => {
      expect((await get(path)).status).toBe(401);
      expect((await get(path, 'analyst-key')).status).toBe(403);
      expect((await get(path, 'root-key')).status).toBe(200);
    },
  );

  it('the board shows a queued job with its statement', async () => {
    const submitted = await fetch(`${api.url}/v1/queries`, {
      method: 'POST',
      headers: { authorization: 'Bearer analyst-key', 'content-type': 'application/json' },
      body: JSON.stringify({ sql: 'SELECT 4711 AS n' }),
    });
    const { id } = (await submitted.json()) as { id: string };
    const listed = await get(`/admin/queues/api/queues?activeQueue=${queue}&page=1&jobsPerPage=5000`, 'root-key');
    const { queues } = (await listed.json()) as { queues: { name: string; jobs: object[] }[] };
    expect(queues.find(({ name }) => name === queue)).toMatchObject({
      readOnlyMode: true,
      counts: { waiting: 1 },
      jobs: [{ id, data: { sql: 'SELECT 4711 AS n' } }],
    });
    const job = await get(`/admin/queues/api/queues/${queue}/${id}`, 'root-key');
    expect(await job.json()).toMatchObject({ job: { id }, status: 'waiting' });
  });

  it('the page loads its own files only, and each of them is served', async () => {
    const response = await get('/admin/queues', 'root-key');
    const html = await response.text();
    expect(response.headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'self';.*frame-ancestors 'none'$/);
    expect(html).toContain('<base href="/admin/queues/" />');
    expect(html).not.toMatch(/https?:|<%/);
    const files = [...html.matchAll(/(?:src|href)="(static\/[^"]+)"/g)].map(([, file]) => file!);
    expect(files.length).toBeGreaterThan(4);
    for (const file of files) {
      const served = await get(`/admin/queues/${file}`, 'root-key');
      expect([file, served.status]).toEqual([file, 200]);
      await served.arrayBuffer();
    }
    const script = await get(`/admin/queues/${files.find((file) => file.endsWith('.js'))}`, 'root-key');
    expect(script.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    await script.arrayBuffer();
  });

  it('the board writes nothing and serves no other file', async () => {
    expect((await get(`/admin/queues/api/queues/${queue}/pause`, 'root-key', 'PUT')).status).toBe(405);
    expect((await get(`/admin/queues/api/queues/${queue}/obliterate`, 'root-key', 'PUT')).status).toBe(405);
    for (const path of ['static/..%2f..%2fpackage.json', 'static/none.js', 'api/none'])
      expect([path, (await get(`/admin/queues/${path}`, 'root-key')).status]).toEqual([path, 404]);
  });
});
