import { BatchGetQueryExecutionCommand, ListQueryExecutionsCommand } from '@aws-sdk/client-athena';
import type { EngineName } from '@millrace/contracts';
import { createPipeline } from '@millrace/resilience';
import { isAlive, processTree } from '@millrace/runtime';
import { LocalAthena } from '@millrace/testing';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { skipNote } from './engines/query-engine.conformance.ts';
import { TrinoEngine } from './engines/trino/trino-engine.ts';
import { QueryQueue } from './queries/query-queue.ts';
import type { QueryJobData, QueryOutcome, QueryRecord } from './queries/query-record.ts';
import { QueryWorker, type QueryWorkerEvents } from './queries/query-worker.ts';
import type { QueryRun } from './queries/run-query.ts';
import { requestConnection, settled, workerConnection } from '@millrace/redis';
import { readManifest } from './results/read-result.ts';
import { engineRequest, runToEnd } from './testing-engine.ts';
import { openTestLake, testParts, type TestLake } from './testing-lake.ts';

// Some seconds of work for the emulator's Athena.
const slow = (mark: string): string => `SELECT count(*) AS ${mark} FROM range(200000000) a(x), range(10) b(y) WHERE a.x % 7 = b.y % 5`;

let lake: TestLake;
let queue: QueryQueue;
let workers: ChildProcess[];

/** A worker as its users run it: a process, from the build. */
async function startWorker(more: Record<string, string> = {}): Promise<ChildProcess> {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../dist/worker.js')], {
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      QUERY_QUEUE_NAME: `test-${lake.database}`,
      QUERY_WORKER_PORT: '0',
      QUERY_LOCK_MS: '1000',
      QUERY_ATHENA_POLL_MS_MIN: '50',
      QUERY_ATHENA_POLL_MS_MAX: '200',
      LAKE_BUCKET: lake.bucket,
      LAKE_DATABASE: lake.database,
      REDIS_URL: testParts.redisUrl,
      AWS_ENDPOINT_URL: testParts.endpoint,
      AWS_REGION: testParts.region,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      ...(testParts.httpfsPath === undefined ? {} : { QUERY_DUCKDB_HTTPFS: testParts.httpfsPath }),
      ...more,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  workers.push(child);
  // Drained, so that the pipe never fills.
  child.stdout.resume();
  return child;
}

async function submit(sql: string, engine: EngineName): Promise<string> {
  const id = crypto.randomUUID();
  const data: QueryJobData = { sql, parameters: [], engine, timeoutMs: 300_000, submittedAt: Date.now() };
  await queue.submit(id, data);
  return id;
}

async function when(id: string, condition: (record: QueryRecord) => boolean): Promise<QueryRecord> {
  for (const until = Date.now() + 110_000; ; await delay(50)) {
    const record = await queue.find(id);
    if (record !== undefined && condition(record)) return record;
    if (Date.now() > until) throw new Error(`the query did not come so far: ${JSON.stringify(record)}`);
  }
}

/** How many executions Athena has of the statement with this mark. */
async function executionsOf(mark: string): Promise<number> {
  let count = 0;
  let token: string | undefined;
  do {
    const page = await lake.aws.athena.send(
      new ListQueryExecutionsCommand({ MaxResults: 50, ...(token === undefined ? {} : { NextToken: token }) }),
    );
    const ids = page.QueryExecutionIds ?? [];
    const { QueryExecutions: found = [] } =
      ids.length === 0 ? {} : await lake.aws.athena.send(new BatchGetQueryExecutionCommand({ QueryExecutionIds: ids }));
    count += found.filter(({ Query: query }) => query?.includes(mark)).length;
    token = page.NextToken;
  } while (token !== undefined && token !== '');
  return count;
}

async function killed(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  const gone = once(child, 'exit');
  child.kill(signal);
  return ((await gone) as [number | null])[0];
}

function childrenOf(parent: ChildProcess): number[] {
  return processTree([parent.pid!]).flatMap(({ pid }) => (pid === parent.pid ? [] : [pid]));
}

function nothing(): void {}

/** A worker's events, of which only failures are kept. */
function eventsInto(failures: Error[]): QueryWorkerEvents {
  return {
    queryTaken: nothing,
    queryReleased: nothing,
    queryEnded: nothing,
    queryHandedOver: nothing,
    queryStalled: nothing,
    failed: (error) => void failures.push(error),
  };
}

beforeEach(async () => {
  lake = await openTestLake();
  workers = [];
  const redis = requestConnection({ url: testParts.redisUrl }, [createPipeline({ name: 'redis' })], () => undefined);
  await settled(redis, 5000);
  queue = new QueryQueue(
    redis,
    { name: `test-${lake.database}`, engines: ['duckdb', 'athena', 'trino'], jobsMax: 10, retentionSeconds: 600, retentionJobsMax: 100 },
    async (_call, run) => await run(new AbortController().signal),
  );
});
afterEach(async () => {
  await Promise.all(
    workers.filter((child) => child.exitCode === null && child.signalCode === null).map(async (child) => await killed(child, 'SIGKILL')),
  );
  await queue.close();
  await lake.close();
});

describe('a worker that dies', () => {
  it('a dead worker leaves a query in Athena to its successor, which attaches to it and does not pay again', async () => {
    const mark = `mark_${lake.database}`;
    const first = await startWorker();
    const id = await submit(slow(mark), 'athena');
    const running = await when(id, ({ progress }) => progress?.executionId !== undefined);
    await killed(first, 'SIGKILL');
    await startWorker();
    const done = await when(id, ({ outcome }) => outcome !== undefined);
    expect(done.state).toBe('succeeded');
    expect(done.outcome!.startedAt).toBe(running.progress!.startedAt);
    expect(done.progress!.executionId).toBe(running.progress!.executionId);
    expect(await executionsOf(mark)).toBe(1);
  });

  const { trinoMissing, trinoUrl = '' } = testParts;
  // A long run sets a higher number by hand.
  const kills = Number(process.env['MILLRACE_WORKER_KILLS'] ?? 3);
  it.skipIf(trinoMissing !== undefined)(
    `a worker that dies around the start of a query in Athena leaves one execution, in ${kills} deaths${skipNote(trinoMissing)}`,
    { timeout: 60_000 + kills * 20_000 },
    async () => {
      let kill: { readonly moment: string; readonly child: ChildProcess } | undefined;
      const athena = await LocalAthena.start({
        trinoUrl,
        onCall: (operation, moment) => {
          if (operation !== 'StartQueryExecution' || kill?.moment !== moment) return;
          kill.child.kill('SIGKILL');
          kill = undefined;
        },
      });
      try {
        for (let n = 0; n < kills; n += 1) {
          const first = await startWorker({ AWS_ENDPOINT_URL_ATHENA: athena.url });
          const gone = once(first, 'exit');
          // The third moment is after the answer, before or after the worker has kept the id of the execution.
          const moment = ['before', 'after', 'later'][n % 3]!;
          kill = { moment, child: first };
          const id = await submit('SELECT 1 AS one', 'athena');
          if (moment === 'later') {
            await vi.waitUntil(() => athena.executions.some(({ token }) => token === id), { timeout: 60_000, interval: 1 });
            await delay((n * 7) % 50);
            first.kill('SIGKILL');
          }
          await gone;
          const next = await startWorker({ AWS_ENDPOINT_URL_ATHENA: athena.url });
          const done = await when(id, ({ outcome }) => outcome !== undefined);
          expect(done.state).toBe('succeeded');
          expect(athena.executions.filter(({ token }) => token === id)).toHaveLength(1);
          await killed(next, 'SIGKILL');
        }
      } finally {
        await athena.close();
      }
    },
  );

  it.skipIf(trinoMissing !== undefined)(
    `a dead worker leaves a query in Trino to its successor, which attaches to it and starts no other${skipNote(trinoMissing)}`,
    async () => {
      const more = { QUERY_ENGINES: 'duckdb,athena,trino', TRINO_URL: trinoUrl };
      const mark = `mark_${lake.database}`;
      const sql = `SELECT count(*) AS ${mark} FROM UNNEST(sequence(1, 5000)) a(x), UNNEST(sequence(1, 10000)) b(y) WHERE x * y % 7 = 1`;
      const first = await startWorker(more);
      const id = await submit(sql, 'trino');
      await when(id, ({ progress }) => progress?.executionId?.includes('/executing/') === true);
      await killed(first, 'SIGKILL');
      await startWorker(more);
      const done = await when(id, ({ outcome }) => outcome !== undefined);
      expect(done.outcome).toMatchObject({ state: 'succeeded', statistics: { rows: 1 } });
      const trino = new TrinoEngine(
        { url: trinoUrl, catalog: 'system', schema: 'runtime' },
        async (_call, run) => await run(AbortSignal.timeout(30_000)),
      );
      const { rows } = await runToEnd(
        trino,
        engineRequest('SELECT state, "user", source FROM queries WHERE query LIKE ?', { parameters: [`SELECT count(*) AS ${mark}%`] }),
      );
      expect(rows).toEqual([['FINISHED', 'millrace', 'millrace']]);
    },
  );

  it('a dead worker leaves a query in DuckDB to its successor; its own DuckDB ends, and the query has one result', async () => {
    const temp = await mkdtemp(join(tmpdir(), 'query-worker-test-'));
    try {
      const first = await startWorker({ TMPDIR: temp });
      const id = await submit('SELECT count(*) AS n FROM range(40000000) a(x), range(10) b(y) WHERE a.x % 7 = b.y % 5', 'duckdb');
      await when(id, ({ progress }) => progress?.executionId !== undefined);
      await expect.poll(() => childrenOf(first).length, { timeout: 20_000 }).toBeGreaterThan(0);
      const sandboxes = childrenOf(first);
      await killed(first, 'SIGKILL');
      await expect.poll(() => sandboxes.filter(isAlive), { timeout: 5000 }).toEqual([]);
      expect(await readdir(temp)).toEqual([]);
      await startWorker();
      const done = await when(id, ({ outcome }) => outcome !== undefined);
      expect(done.outcome).toMatchObject({ state: 'succeeded', statistics: { rows: 1 } });
      const { parts } = await readManifest(lake.store, id);
      expect(parts).toHaveLength(1);
    } finally {
      await rm(temp, { recursive: true, force: true });
    }
  });

  it('a query that kills every worker is given up', async () => {
    const id = await submit(slow('n'), 'athena');
    for (let death = 0; death < 2; death += 1) {
      const child = await startWorker({ QUERY_TAKEOVERS_MAX: '1' });
      const log: string[] = [];
      child.stdout!.on('data', (text: Buffer) => log.push(text.toString()));
      await expect.poll(() => log.join(''), { timeout: 30_000 }).toMatch(/Running a query|Continuing a query/);
      await killed(child, 'SIGKILL');
    }
    await startWorker({ QUERY_TAKEOVERS_MAX: '1' });
    const done = await when(id, ({ outcome }) => outcome !== undefined);
    expect(done.outcome).toMatchObject({ state: 'failed', error: { type: 'urn:millrace:problem:engine-failed' } });
  });
});

describe('a stopping worker', () => {
  it('a stopping worker lets a short query end and exits with 0', async () => {
    const child = await startWorker();
    const id = await submit('SELECT 1 AS one', 'duckdb');
    await when(id, ({ state }) => state !== 'queued');
    expect(await killed(child, 'SIGTERM')).toBe(0);
    expect((await queue.find(id))?.state).toBe('succeeded');
  });

  it('a stopping worker hands over queries that do not end in time: nothing fails and nothing is started twice', async () => {
    const mark = `mark_${lake.database}`;
    const first = await startWorker({ QUERY_DRAIN_SECONDS: '0' });
    const id = await submit(slow(mark), 'athena');
    await when(id, ({ progress }) => progress?.executionId !== undefined);
    expect(await killed(first, 'SIGTERM')).toBe(0);
    expect((await queue.find(id))?.state).toBe('running');
    await startWorker();
    expect(await when(id, ({ outcome }) => outcome !== undefined)).toMatchObject({ state: 'succeeded' });
    expect(await executionsOf(mark)).toBe(1);
  });

  it('a stopping worker that cannot hand over leaves the query to the next worker, neither lost nor failed', async () => {
    const failures: Error[] = [];
    const workerThat = (run: (query: QueryRun) => Promise<QueryOutcome>): QueryWorker =>
      new QueryWorker(
        workerConnection({ url: testParts.redisUrl }, () => undefined),
        queue,
        { queueName: `test-${lake.database}`, concurrency: new Map([['duckdb', 1]]), lockMs: 1000, takeoversMax: 2, cancelPollMs: 100 },
        run,
        async () => true,
        eventsInto(failures),
      );
    const lost = new Error('Redis is away');
    vi.spyOn(queue, 'handOver').mockRejectedValueOnce(lost);
    const first = workerThat(async ({ signal, saveProgress }) => {
      await saveProgress({ startedAt: 1 });
      return await new Promise<never>((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    });
    first.start();
    const id = await submit('SELECT 1', 'duckdb');
    await when(id, ({ state }) => state === 'running');
    await first.close(0);
    expect(failures).toContain(lost);
    expect((await queue.find(id))?.outcome).toBeUndefined();
    const second = workerThat(async () => ({ state: 'succeeded', startedAt: 1, finishedAt: 2 }));
    second.start();
    expect(await when(id, ({ outcome }) => outcome !== undefined)).toMatchObject({ state: 'succeeded' });
    await second.close(0);
  });
});

describe('a worker whose Redis fails for a moment', () => {
  it('a worker keeps progress that Redis did not take as soon as Redis takes it', async () => {
    const progress = { startedAt: 1, executionId: 'a' };
    vi.spyOn(queue, 'saveProgress').mockRejectedValueOnce(new Error('Redis is away'));
    const ended = Promise.withResolvers<void>();
    const worker = new QueryWorker(
      workerConnection({ url: testParts.redisUrl }, () => undefined),
      queue,
      { queueName: `test-${lake.database}`, concurrency: new Map([['duckdb', 1]]), lockMs: 10_000, takeoversMax: 2, cancelPollMs: 100 },
      async ({ saveProgress }) => {
        await expect(saveProgress(progress)).rejects.toThrow('away');
        await ended.promise;
        return { state: 'succeeded', startedAt: 1, finishedAt: 2 };
      },
      async () => true,
      eventsInto([]),
    );
    worker.start();
    const id = await submit('SELECT 1', 'duckdb');
    expect((await when(id, (record) => record.progress !== undefined)).progress).toEqual(progress);
    ended.resolve();
    await worker.close(10_000);
  });
});
