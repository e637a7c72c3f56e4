import { expect, it } from 'vitest';
import type { EngineRequest, QueryEngine } from '../engines/query-engine.ts';
import type { QueryJobData } from './query-record.ts';
import { runQuery, type QueryRunEnvironment } from './run-query.ts';

const data: QueryJobData = { sql: 'SELECT 1', parameters: [], engine: 'duckdb', timeoutMs: 1000, submittedAt: 0 };

/** A worker with its own clock, and an engine that runs until it is stopped. */
function worker(nowMs: number, saveProgress: () => Promise<void> = async () => undefined) {
  const lost: unknown[] = [];
  const begun: EngineRequest[] = [];
  const timers: { readonly ms: number; readonly callback: () => void }[] = [];
  const engine: QueryEngine = {
    name: 'duckdb',
    run: async (request) => {
      begun.push(request);
      return await new Promise<never>((_resolve, reject) =>
        request.signal.addEventListener('abort', () => reject(request.signal.reason as Error)),
      );
    },
    check: async () => undefined,
    close: async () => undefined,
  };
  const environment: QueryRunEnvironment = {
    engines: new Map([['duckdb', engine]]),
    results: {} as QueryRunEnvironment['results'],
    limits: { rowsMax: 1, bytesMax: 1, partBytes: 1, partRows: 1 },
    now: () => nowMs,
    newWriterId: () => 'writer',
    after: (ms, callback) => {
      timers.push({ ms, callback });
      return () => undefined;
    },
    answerReport: async (_data, run, signal) => ({ fresh: await run(signal) }),
    priceOf: () => undefined,
    keeper: { before: async () => undefined, after: async () => undefined, exact: async (_data, { version }) => version },
    layouts: {
      choose: async ({ statement }) => ({ layout: undefined, reads: new Map(), statement }),
      again: async () => undefined,
    },
    coverage: { isCovered: async () => false },
    onProgressLost: (error) => void lost.push(error),
    onFailure: () => undefined,
  };
  const run = async (job: QueryJobData) =>
    await runQuery(
      { id: 'q', data: job, progress: undefined, saveProgress, onReading: () => undefined, signal: new AbortController().signal },
      environment,
    );
  return { begun, lost, timers, run };
}

it("a query whose caller's deadline passed while it waited is refused: no engine begins it", async () => {
  const { begun, run } = worker(5000);
  expect(await run({ ...data, deadline: 5000 })).toMatchObject({
    state: 'failed',
    error: { type: 'urn:millrace:problem:deadline-exceeded', detail: 'The deadline of the caller passed before the query had finished.' },
  });
  expect(begun).toEqual([]);
});

it.each([
  [{ deadline: 5400 }, 400],
  [{ deadline: 9000 }, 1000],
  [{}, 1000],
])('with %j a query has %d ms from its start, and its engine is stopped then', async (more, ms) => {
  const { begun, timers, run } = worker(5000);
  const running = run({ ...data, ...more });
  await expect.poll(() => begun.length).toBe(1);
  expect(timers.map((timer) => timer.ms)).toEqual([ms]);
  timers[0]!.callback();
  expect(await running).toMatchObject({ state: 'failed', error: { type: 'urn:millrace:problem:deadline-exceeded' } });
});

it('a query whose progress cannot be kept yet ends at its time limit, and no engine begins it before', async () => {
  const { begun, timers, run } = worker(5000, async () => await new Promise<never>(() => undefined));
  const running = run(data);
  await expect.poll(() => timers.length).toBe(1);
  timers[0]!.callback();
  expect(await running).toMatchObject({ state: 'failed', error: { type: 'urn:millrace:problem:deadline-exceeded' } });
  expect(begun).toEqual([]);
});

it('a query whose later progress cannot be kept ends at its time limit, after its engine has begun it', async () => {
  let saves = 0;
  const { begun, timers, run } = worker(5000, async () => {
    saves += 1;
    if (saves > 1) await new Promise<never>(() => undefined);
  });
  const running = run(data);
  await expect.poll(() => begun.length).toBe(1);
  const told = begun[0]!.onStarted('execution').catch((error: unknown) => error);
  timers[0]!.callback();
  expect(await told).toMatchObject({ code: 'deadline' });
  expect(await running).toMatchObject({ state: 'failed', error: { type: 'urn:millrace:problem:deadline-exceeded' } });
});

it('a query whose progress cannot be kept runs without it', async () => {
  const away = new Error('Redis is away');
  const { begun, lost, timers, run } = worker(5000, async () => await Promise.reject(away));
  const running = run(data);
  await expect.poll(() => begun.length).toBe(1);
  await begun[0]!.onStarted('execution');
  expect(lost).toEqual([away, away]);
  timers[0]!.callback();
  await running;
});

it('an engine gets the scan limit of its query', async () => {
  const { begun, timers, run } = worker(5000);
  const running = run({ ...data, maxBytesScanned: 1000 });
  await expect.poll(() => begun.length).toBe(1);
  expect(begun[0]).toMatchObject({ bytesScannedMax: 1000 });
  timers[0]!.callback();
  await running;
});
