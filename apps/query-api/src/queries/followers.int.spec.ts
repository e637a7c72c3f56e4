import { requestConnection, settled, type RedisClient } from '@millrace/redis';
import { createPipeline } from '@millrace/resilience';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testParts } from '../testing-lake.ts';
import { DailyBudget } from './budget/daily-budget.ts';
import { ResultCache } from './cache/result-cache.ts';
import { QueryQueue } from './query-queue.ts';
import type { QueryJobData } from './query-record.ts';

const name = `test-followers-${crypto.randomUUID().slice(0, 8)}`;
const dailyBytesMax = 1000;
const submittedAt = Date.now();

let redis: RedisClient;
let queue: QueryQueue;

/** Submits a query that follows another query, which never appears. The follower polls a minute later each time. */
async function follower(subject: string): Promise<string> {
  const id = crypto.randomUUID();
  const principal = { kind: 'jwt', issuer: 'https://x', subject } as const;
  const data: QueryJobData = { sql: 'SELECT 1', parameters: [], engine: 'duckdb', timeoutMs: 1000, submittedAt, principal };
  await queue.submitAnswered(id, { data, following: crypto.randomUUID() });
  return id;
}

beforeAll(async () => {
  redis = requestConnection({ url: testParts.redisUrl }, [createPipeline({ name: 'redis' })], () => undefined);
  await settled(redis, 10_000);
  queue = new QueryQueue(
    redis,
    { name, engines: ['duckdb'], jobsMax: 10, retentionSeconds: 60, retentionJobsMax: 10, dailyBytesMax },
    async (_call, run) => await run(new AbortController().signal),
    () => submittedAt + 60_000,
  );
});
afterAll(async () => {
  await queue?.close();
});

describe('a query whose leader never ran', () => {
  it('the query gets a separate job while its principal has budget left', async () => {
    const id = await follower('ann');
    expect(await queue.find(id)).toMatchObject({ state: 'queued', isFollowing: false });
    expect(await queue.find(id)).toMatchObject({ state: 'queued' });
  });

  it('the query fails and gets no job when its principal has used up its budget', async () => {
    const principal = { kind: 'jwt', issuer: 'https://x', subject: 'bob' } as const;
    await new DailyBudget(redis, { name, bytesMax: dailyBytesMax }).add(principal, dailyBytesMax, submittedAt + 60_000);
    const id = await follower('bob');
    const refused = { state: 'failed', outcome: { error: { type: 'urn:millrace:problem:too-many-requests' } } };
    expect(await queue.find(id)).toMatchObject(refused);
    expect(await queue.find(id)).toMatchObject(refused);
    await queue.inspect(async ([jobs]) => expect(await jobs!.getJob(id)).toBeUndefined());
  });
});

describe('the lead of a statement', () => {
  it('a query that gives up its lead makes room, and takes nothing from another leader', async () => {
    const cache = new ResultCache(redis, { name, seconds: 60, entriesMax: 10 }, createPipeline({ name: 'cache' }));
    await cache.lead('key', undefined, 'one 1');
    await cache.release('key', 'two');
    expect((await cache.find('key')).leader).toBe('one 1');
    await cache.release('key', 'one');
    expect((await cache.find('key')).leader).toBeUndefined();
  });
});
