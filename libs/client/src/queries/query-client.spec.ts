import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { json, problem, ScriptedService, settle, type ScriptedAnswer } from '../testing/scripted-service.ts';
import { QueryClient } from './query-client.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function clientOf(answers: readonly ScriptedAnswer[]): { service: ScriptedService; client: QueryClient } {
  const service = new ScriptedService(answers);
  return { service, client: new QueryClient(service.options) };
}

const query = (state: string, more: object = {}) => ({ id: 'q 1', state, engine: 'duckdb', ...more });
const later = { 'retry-after': '1' };

describe('QueryClient', () => {
  it('all attempts of a submission have one idempotency key, and the next submission has another', async () => {
    const { service, client } = clientOf([problem(503, 'unavailable'), json(202, query('queued')), json(202, query('queued'))]);
    await settle(client.submit({ sql: 'SELECT 1' }));
    await settle(client.submit({ sql: 'SELECT 1' }));
    const keys = service.seen.map(({ headers }) => headers['idempotency-key']);
    expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect([keys[1], keys[2] === keys[0]]).toEqual([keys[0], false]);
    expect(service.seen[0]).toMatchObject({ method: 'POST', path: '/v1/queries', body: { sql: 'SELECT 1' } });
  });

  it('QueryClient.run waits for the end of the query with long polls', async () => {
    const { service, client } = clientOf([
      json(202, query('queued'), later),
      json(200, query('running'), later),
      json(200, query('succeeded')),
    ]);
    expect(await settle(client.run({ report: 'sales-by-genre' }))).toMatchObject({ state: 'succeeded' });
    expect(service.seen[0]!.headers).toMatchObject({ prefer: 'wait=13' });
    expect(service.seen.slice(1).map(({ path }) => path)).toEqual(['/v1/queries/q%201?wait=13', '/v1/queries/q%201?wait=13']);
  });

  it('a failed query throws its problem', async () => {
    const error = { type: 'urn:millrace:problem:statement-invalid', title: 'No', status: 400, detail: 'There is no column x.' };
    const { client } = clientOf([json(200, query('failed', { error }))]);
    await expect(settle(client.run({ sql: 'SELECT x' }))).rejects.toMatchObject({
      code: 'query-failed',
      message: 'The query q 1 is failed: There is no column x.',
      problem: error,
    });
  });

  it('an aborted signal cancels the query', async () => {
    const { service, client } = clientOf([json(202, query('queued'), later), 'hang', json(202, query('cancelling'))]);
    const caller = new AbortController();
    const running = client.run({ sql: 'SELECT 1' }, { signal: caller.signal }).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(2000);
    caller.abort(new Error('left'));
    expect(await settle(running)).toMatchObject({ message: 'left' });
    await vi.advanceTimersByTimeAsync(100);
    expect(service.seen.at(-1)).toMatchObject({ method: 'DELETE', path: '/v1/queries/q%201' });
  });

  it('QueryClient.rows returns the rows of all pages and reads each page only when needed', async () => {
    const columns = [{ name: 'n', type: 'bigint' }];
    const { service, client } = clientOf([
      json(200, { columns, rows: [['1'], ['2']], next: 'c&1' }),
      problem(503, 'unavailable'),
      json(200, { columns, rows: [['3']] }),
    ]);
    const rows = client.rows('q', { pageRowsMax: 2 });
    expect([(await rows.next()).value, (await rows.next()).value]).toEqual([{ n: '1' }, { n: '2' }]);
    expect(service.seen).toHaveLength(1);
    expect([(await settle(rows.next())).value, (await rows.next()).done]).toEqual([{ n: '3' }, true]);
    expect(service.seen.map(({ path }) => path)).toEqual([
      '/v1/queries/q/results?limit=2',
      '/v1/queries/q/results?limit=2&cursor=c%261',
      '/v1/queries/q/results?limit=2&cursor=c%261',
    ]);
  });

  it('QueryClient.download repeats until the answer begins, and then streams its body', async () => {
    const { service, client } = clientOf([problem(503, 'unavailable'), new Response('n\r\n1\r\n')]);
    const body = await settle(client.download('q', 'csv'));
    expect(await new Response(body).text()).toBe('n\r\n1\r\n');
    expect(service.seen.map(({ path, headers }) => [path, headers['accept']])).toEqual([
      ['/v1/queries/q/results', 'text/csv'],
      ['/v1/queries/q/results', 'text/csv'],
    ]);
  });

  it('QueryClient.download throws the problem of an answer', async () => {
    const { client } = clientOf([problem(409, 'no-results')]);
    await expect(settle(client.download('q', 'parquet'))).rejects.toMatchObject({ code: 'problem', status: 409 });
  });

  it('QueryClient.links sends the time and the cursor', async () => {
    const { service, client } = clientOf([json(200, { parts: [] })]);
    await settle(client.links('q', { seconds: 60, cursor: 'c' }));
    expect(service.seen[0]!.path).toBe('/v1/queries/q/results/links?seconds=60&cursor=c');
  });

  it('QueryClient.list sends its filters', async () => {
    const { service, client } = clientOf([json(200, { queries: [] })]);
    await settle(client.list({ state: 'running', text: 'a b' }));
    expect(service.seen[0]!.path).toBe('/v1/queries?state=running&text=a+b');
  });
});
