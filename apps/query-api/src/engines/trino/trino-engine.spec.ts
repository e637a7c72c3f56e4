import { describe, expect, it } from 'vitest';
import { QueryError, QueryStopped, Throttled } from '../../errors.ts';
import type { CallGuard } from '../../guards.ts';
import { engineRequest, runToEnd } from '../../testing-engine.ts';
import { TrinoEngine } from './trino-engine.ts';

interface Request {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body: string | undefined;
}

const integer = { rawType: 'integer', arguments: [] };
const columns = [{ name: 'a', typeSignature: integer }];
const passThrough: CallGuard = async ({ signal }, run) => await run(signal ?? new AbortController().signal);

/** A Trino that gives the answers of the test, by method and path. */
class FakeTrino {
  readonly requests: Request[] = [];
  readonly #answers: ReadonlyMap<string, object | number>;

  /** @param answers a JSON body, or a status without one */
  constructor(answers: Readonly<Record<string, object | number>>) {
    this.#answers = new Map(Object.entries(answers));
  }

  engine(guard = passThrough, url = 'http://trino:8080'): TrinoEngine {
    return new TrinoEngine({ url, catalog: 'hive', schema: 'bookstore' }, guard, this.#fetch);
  }

  lines(): string[] {
    return this.requests.map(({ method, url }) => `${method} ${new URL(url).pathname}`);
  }

  readonly #fetch: typeof fetch = async (input, init = {}) => {
    const { method = 'GET', body } = init;
    const url = input instanceof Request ? input.url : String(input);
    this.requests.push({ method, url, headers: new Headers(init.headers), body: typeof body === 'string' ? body : undefined });
    const answer = this.#answers.get(`${method} ${new URL(url).pathname}`) ?? 410;
    if (typeof answer === 'number') return new Response(null, { status: answer });
    return Response.json({ id: 'q', stats: { state: 'RUNNING', physicalInputBytes: 7 }, ...answer });
  };
}

const twoPages = {
  'POST /v1/statement': { nextUri: 'http://elsewhere/queued/1' },
  'GET /queued/1': { nextUri: 'http://elsewhere/executing/0' },
  'GET /executing/0': { columns, data: [[1], [2]], nextUri: 'http://elsewhere/executing/1' },
  'GET /executing/1': { columns, data: [[3]], stats: { state: 'FINISHED', physicalInputBytes: 42 } },
};

describe('TrinoEngine', () => {
  it('the engine follows the answers at the configured host, to the end, and no further than it is read', async () => {
    const trino = new FakeTrino(twoPages);
    const result = await trino.engine(passThrough, 'https://ann:se%20cret@trino:8443').run(engineRequest('SELECT 1'));
    expect(trino.lines()).toEqual(['POST /v1/statement', 'GET /queued/1', 'GET /executing/0']);
    const rows: unknown[] = [];
    for await (const batch of result.rows) rows.push(...batch);
    expect(rows).toEqual([[1], [2], [3]]);
    expect(result.bytesScanned()).toBe(42);
    expect(trino.lines()).toEqual(['POST /v1/statement', 'GET /queued/1', 'GET /executing/0', 'GET /executing/1']);
    expect(new Set(trino.requests.map(({ url }) => new URL(url).origin))).toEqual(new Set(['https://trino:8443']));
    expect(trino.requests.map(({ headers }) => headers.get('authorization'))).toEqual(Array(4).fill('Basic YW5uOnNlIGNyZXQ='));
  });

  it('the engine names the caller, the query and the limit of bytes, and lets Trino bind the values', async () => {
    const trino = new FakeTrino(twoPages);
    const request = engineRequest("SELECT 'x', ?, ?", { queryId: 'q1', parameters: ["it's", null], user: 'ann,é', bytesScannedMax: 1000 });
    await runToEnd(trino.engine(), request);
    const [{ body, headers }] = trino.requests as [Request];
    expect(body).toBe("EXECUTE IMMEDIATE 'SELECT ''x'', ?, ?' USING 'it''s', NULL");
    expect(Object.fromEntries(headers)).toMatchObject({
      'x-trino-user': 'ann%2C%C3%A9',
      'x-trino-source': 'millrace',
      'x-trino-client-tags': 'millrace,query-q1',
      'x-trino-catalog': 'hive',
      'x-trino-schema': 'bookstore',
      'x-trino-session': 'query_max_scan_physical_bytes=1000B',
    });
  });

  it('the engine reports each place from which a successor can continue, before it continues itself', async () => {
    const trino = new FakeTrino(twoPages);
    const seen: [string, number][] = [];
    await runToEnd(trino.engine(), engineRequest('SELECT 1', { onStarted: async (id) => void seen.push([id, trino.requests.length]) }));
    expect(seen).toEqual([
      ['/queued/1', 1],
      ['/executing/0', 2],
    ]);
  });

  it('the engine attaches to the execution of a former worker and starts no other', async () => {
    const trino = new FakeTrino(twoPages);
    const { rows } = await runToEnd(trino.engine(), engineRequest('SELECT 1', { executionId: '/executing/0' }));
    expect(rows).toEqual([[1], [2], [3]]);
    expect(trino.lines()).toEqual(['GET /executing/0', 'GET /executing/1']);
  });

  it('the engine ends an execution whose rows a former worker has read, and starts another', async () => {
    const trino = new FakeTrino(twoPages);
    const { rows } = await runToEnd(trino.engine(), engineRequest('SELECT 1', { executionId: '/executing/old' }));
    expect(rows).toEqual([[1], [2], [3]]);
    expect(trino.lines().slice(0, 4)).toEqual(['GET /executing/old', 'DELETE /executing/old', 'GET /executing/old', 'POST /v1/statement']);
  });

  it('the engine cancels a stopped statement and returns once Trino has ended it', async () => {
    const ended = { error: { message: 'Query was canceled', errorName: 'USER_CANCELED', errorType: 'USER_ERROR' } };
    const trino = new FakeTrino({
      ...twoPages,
      'DELETE /queued/1': 204,
      'GET /queued/1': { nextUri: 'http://elsewhere/executing/0' },
      'GET /executing/0': ended,
    });
    const controller = new AbortController();
    const reason = new QueryStopped('cancelled');
    const running = trino
      .engine()
      .run(engineRequest('SELECT 1', { signal: controller.signal, onStarted: async () => controller.abort(reason) }));
    await expect(running).rejects.toBe(reason);
    expect(trino.lines()).toEqual(['POST /v1/statement', 'DELETE /queued/1', 'GET /queued/1', 'GET /executing/0']);
  });

  it('the engine leaves a handed-over statement running', async () => {
    const trino = new FakeTrino(twoPages);
    const controller = new AbortController();
    const reason = new QueryStopped('handed-over');
    const running = trino
      .engine()
      .run(engineRequest('SELECT 1', { signal: controller.signal, onStarted: async () => controller.abort(reason) }));
    await expect(running).rejects.toBe(reason);
    expect(trino.lines()).toEqual(['POST /v1/statement']);
  });

  it('the engine leaves a handed-over statement to its successor while its first rows are read', async () => {
    const trino = new FakeTrino(twoPages);
    const controller = new AbortController();
    const reason = new QueryStopped('handed-over');
    let place = '';
    const onStarted = async (id: string): Promise<void> => void (place = id);
    const { rows } = await trino.engine().run(engineRequest('SELECT 1', { signal: controller.signal, onStarted }));
    const reading = (async () => {
      for await (const batch of rows) if (batch.length > 0) controller.abort(reason);
    })();
    await expect(reading).rejects.toBe(reason);
    expect(trino.lines().slice(2)).toEqual(['GET /executing/0']);
    expect((await runToEnd(trino.engine(), engineRequest('SELECT 1', { executionId: place }))).rows).toEqual([[1], [2], [3]]);
  });

  it('the engine cancels a statement whose reader has enough', async () => {
    const trino = new FakeTrino(twoPages);
    const { rows } = await trino.engine().run(engineRequest('SELECT 1'));
    for await (const batch of rows) {
      expect(batch).toEqual([[1], [2]]);
      break;
    }
    expect(trino.lines().slice(3)).toEqual(['DELETE /executing/1', 'GET /executing/1']);
  });

  it.each([
    ['SYNTAX_ERROR', 'USER_ERROR', 'statement-invalid', 'Trino refuses the statement: line 1, column 8: mismatched input'],
    ['PERMISSION_DENIED', 'USER_ERROR', 'statement-not-allowed', 'Trino does not allow the statement: mismatched input'],
    ['NO_NODES_AVAILABLE', 'INSUFFICIENT_RESOURCES', 'unavailable', 'Trino cannot run the statement just now: mismatched input'],
    ['HIVE_CANNOT_OPEN_SPLIT', 'EXTERNAL', 'unavailable', 'Trino could not reach the catalog or the files of the table.'],
    ['EXCEEDED_SCAN_LIMIT', 'INSUFFICIENT_RESOURCES', 'engine-failed', 'more than 5 bytes'],
    ['EXCEEDED_LOCAL_MEMORY_LIMIT', 'INSUFFICIENT_RESOURCES', 'engine-failed', 'needs more than Trino may give it'],
    ['USER_CANCELED', 'USER_ERROR', 'engine-failed', 'was cancelled in Trino'],
    ['GENERIC_INTERNAL_ERROR', 'INTERNAL_ERROR', 'engine-failed', 'Trino failed with an internal error.'],
  ])('a failure %s of the kind %s has the code %s', async (errorName, errorType, code, message) => {
    const error = { message: 'line 1:8: mismatched input', errorName, errorType, errorLocation: { lineNumber: 1, columnNumber: 8 } };
    const trino = new FakeTrino({ 'POST /v1/statement': { error } });
    await expect(trino.engine().run(engineRequest('SELECT 1', { bytesScannedMax: 5 }))).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message) as string,
    });
  });

  it.each([
    [503, Throttled],
    [429, Throttled],
    [401, QueryError],
    [500, QueryError],
  ])('the engine gives its pipeline the right error for the status %i', async (status, kind) => {
    const seen: unknown[] = [];
    const guard: CallGuard = async (_call, run) =>
      await run(new AbortController().signal).catch((error: unknown) => {
        seen.push(error);
        throw error;
      });
    await expect(new FakeTrino({ 'POST /v1/statement': status }).engine(guard).run(engineRequest('SELECT 1'))).rejects.toBeInstanceOf(
      QueryError,
    );
    expect(seen).toEqual([expect.any(kind)]);
  });

  it('the check passes once a statement has run to its end', async () => {
    const signal = new AbortController().signal;
    await expect(new FakeTrino(twoPages).engine().check(signal)).resolves.toBeUndefined();
    const error = { message: 'No nodes available to run query', errorName: 'NO_NODES_AVAILABLE', errorType: 'INSUFFICIENT_RESOURCES' };
    await expect(new FakeTrino({ ...twoPages, 'GET /executing/0': { error } }).engine().check(signal)).rejects.toMatchObject({
      code: 'unavailable',
    });
  });
});
