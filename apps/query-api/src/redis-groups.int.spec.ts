import { setTimeout as pause } from 'node:timers/promises';
import type { QueryView } from '@millrace/contracts';
import { requestConnection, settled, workerConnection } from '@millrace/redis';
import { createPipeline } from '@millrace/resilience';
import type { RunningService } from '@millrace/runtime';
import { RedisClusterGroup, RedisSentinelGroup, waitUntil } from '@millrace/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { queuePrefix } from './queries/queue-prefix.ts';
import { queueNameOf, QueryQueue } from './queries/query-queue.ts';
import { QueryWorker } from './queries/query-worker.ts';
import { redisPlace } from './query-parts.ts';
import { specsOf } from './resilience.ts';
import { startTestApi, testKey } from './testing-api.ts';
import { openTestLake, type TestLake } from './testing-lake.ts';
import type { QueryConfig } from './config.ts';

const queries = 100;
const nothing = (): void => undefined;
let lake: TestLake;
beforeAll(async () => void (lake = await openTestLake()));
afterAll(async () => await lake?.close());

/** A worker that counts how often each query runs. */
async function startWorker(config: QueryConfig): Promise<{ readonly runs: ReadonlyMap<string, number>; close: () => Promise<void> }> {
  const pipeline = createPipeline({ ...specsOf(config).redis, name: 'redis' });
  const redis = requestConnection(redisPlace(config), [pipeline], () => undefined);
  await settled(redis, 10_000);
  const queue = new QueryQueue(
    redis,
    { name: config.QUERY_QUEUE_NAME, engines: ['duckdb'], jobsMax: 1000, retentionSeconds: 600, retentionJobsMax: 1000 },
    async ({ operation, idempotent }, run) =>
      (await pipeline.execute(async ({ signal }) => await run(signal), { key: operation, idempotent })) as Awaited<ReturnType<typeof run>>,
  );
  const runs = new Map<string, number>();
  const worker = new QueryWorker(
    workerConnection(redisPlace(config), nothing),
    queue,
    { queueName: config.QUERY_QUEUE_NAME, concurrency: new Map([['duckdb', 10]]), lockMs: 20_000, takeoversMax: 3, cancelPollMs: 1000 },
    async ({ id, saveProgress }) => {
      const startedAt = Date.now();
      runs.set(id, (runs.get(id) ?? 0) + 1);
      // A query goes on without its progress, as a real run does.
      await saveProgress({ startedAt }).catch(nothing);
      await pause(200 + Math.random() * 400);
      return { state: 'succeeded', startedAt, finishedAt: Date.now() };
    },
    async () => await Promise.resolve(true),
    {
      queryTaken: nothing,
      queryReleased: nothing,
      queryEnded: nothing,
      queryHandedOver: nothing,
      queryStalled: nothing,
      failed: nothing,
    },
  );
  worker.start();
  return {
    runs,
    async close() {
      await worker.close(1000);
      await queue.close();
      pipeline.close();
    },
  };
}

/** Asks until there is an answer other than "later", as a client of the API does. */
async function patiently(ask: () => Promise<Response>): Promise<Response> {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await ask();
    if (answer.status !== 503 && answer.status !== 429) return answer;
    if (attempt === 100) throw new Error(`The API still answers ${answer.status}: ${await answer.text()}`);
    await answer.body?.cancel();
    await pause(200);
  }
}

async function submit(api: RunningService, n: number): Promise<string> {
  const answer = await patiently(
    async () =>
      await fetch(`${api.url}/v1/queries`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: 'Bearer analyst-key', 'idempotency-key': `query-${n}` },
        body: JSON.stringify({ sql: `SELECT ${n} AS n` }),
      }),
  );
  expect(answer.status).toBe(202);
  return ((await answer.json()) as QueryView).id;
}

async function stateOf(api: RunningService, id: string): Promise<string> {
  const answer = await patiently(
    async () => await fetch(`${api.url}/v1/queries/${id}`, { headers: { authorization: 'Bearer analyst-key' } }),
  );
  return answer.status === 200 ? ((await answer.json()) as QueryView).state : `status ${answer.status}`;
}

interface Group {
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** How 100 queries ended. */
interface Verdict {
  readonly ids: number;
  /** Ids without a run, and runs without a submission. */
  readonly missing: readonly string[];
  readonly runTwice: readonly string[];
}

const clean: Verdict = { ids: queries, missing: [], runTwice: [] };

/** Runs the queries, and disturbs Redis while some have ended, some run, some wait and some are still to come. */
async function runThrough(group: Group, disturb: (config: QueryConfig) => Promise<void>): Promise<Verdict> {
  const { api, config } = await startTestApi(lake, [testKey('analyst', 'queries:run')], { more: group.env });
  const worker = await startWorker(config);
  try {
    const ids: string[] = [];
    const submitting = (async () => {
      for (let n = 0; n < queries; n += 1) {
        ids.push(await submit(api, n));
        await pause(30);
      }
    })();
    submitting.catch(() => undefined);
    await waitUntil('the first queries to run', () => worker.runs.size >= 20, { timeoutMs: 60_000 });
    await disturb(config);
    const during = ids.length;
    await submitting;
    expect(during).toBeLessThan(queries);
    const open = new Set(ids);
    await waitUntil(
      'every query to end',
      async () => {
        for (const id of open) {
          const state = await stateOf(api, id);
          if (state === 'queued' || state === 'running') return false;
          expect(`${id}: ${state}`).toBe(`${id}: succeeded`);
          open.delete(id);
        }
        return true;
      },
      { timeoutMs: 60_000 },
    );
    const known = new Set(ids);
    return {
      ids: known.size,
      missing: [...ids.filter((id) => !worker.runs.has(id)), ...[...worker.runs.keys()].filter((id) => !known.has(id))],
      runTwice: [...worker.runs].flatMap(([id, count]) => (count === 1 ? [] : [id])),
    };
  } finally {
    await worker.close();
    await api.close();
  }
}

it('a failover of Sentinel in the middle of 100 queries loses none and runs none twice', async () => {
  const group = await RedisSentinelGroup.start();
  try {
    expect(await runThrough(group, async () => await group.failOver())).toEqual(clean);
  } finally {
    await group.stop();
  }
}, 150_000);

it('a slot of the Cluster that moves in the middle of 100 queries loses none and runs none twice', async () => {
  const group = await RedisClusterGroup.start();
  try {
    let moved = 0;
    const verdict = await runThrough(group, async ({ QUERY_QUEUE_NAME: name }) => {
      moved = await group.moveSlotOf(`${queuePrefix}:${queueNameOf(name, 'duckdb')}:meta`);
    });
    expect(verdict).toEqual(clean);
    expect(moved).toBeGreaterThan(20);
  } finally {
    await group.stop();
  }
}, 150_000);
