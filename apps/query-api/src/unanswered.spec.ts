import { LakeError } from '@millrace/lake';
import {
  AttemptTimeoutError,
  BulkheadFullError,
  BulkheadWaitExceededError,
  CircuitOpenError,
  createPipeline,
  DeadlineExceededError,
  RetryBudgetSpentError,
} from '@millrace/resilience';
import type { AthenaClient } from '@aws-sdk/client-athena';
import type { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { AthenaEngine } from './engines/athena/athena-engine.ts';
import { Throttled } from './errors.ts';
import type { CallGuard } from './guards.ts';
import { guardsOver, queryPipelines } from './resilience.ts';
import { QueryQueue } from './queries/query-queue.ts';
import { readManifest } from './results/read-result.ts';
import { unanswered } from './unanswered.ts';
import { engineRequest } from './testing-engine.ts';

const openCircuit: CallGuard = async () => await Promise.reject(new CircuitOpenError('it', { retryAfterMs: 59_996 }));

it.each([
  [new CircuitOpenError('redis', { retryAfterMs: 59_996 }), 'unavailable', 60, 'It does not answer.'],
  [new CircuitOpenError('redis'), 'unavailable', 1, 'It does not answer.'],
  [new RetryBudgetSpentError('s3'), 'unavailable', 1, 'It does not answer.'],
  [new DeadlineExceededError('s3'), 'unavailable', 1, 'It does not answer.'],
  [new BulkheadFullError('redis'), 'overloaded', 1, 'Too many concurrent calls to redis.'],
  [new BulkheadWaitExceededError('redis'), 'overloaded', 1, 'The request waited too long for a free call to redis.'],
  [new AttemptTimeoutError('redis', 5), 'unavailable', 1, 'It does not answer.'],
  [new Throttled(new Error('busy'), 30_000), 'unavailable', 30, 'It does not answer.'],
  [new LakeError('unavailable', 'busy', { throttled: true, retryAfterMs: 2500 }), 'unavailable', 3, 'It does not answer.'],
] as const)('the error %s is %s, with a retry after %i s', (error, code, retryAfterSeconds, detail) => {
  const told = unanswered(error, 'It does not answer.');
  expect(told).toMatchObject({ code, retryAfterSeconds, message: detail, cause: error });
  expect(told.toProblem()).toMatchObject({ status: 503, retryAfterSeconds });
});

describe.each([
  [
    'the queue',
    async (guard: CallGuard) =>
      await new QueryQueue(
        {} as Redis,
        { name: 'q', engines: ['duckdb'], jobsMax: 1, retentionSeconds: 1, retentionJobsMax: 1 },
        guard,
      ).find('id'),
  ],
  [
    'a result',
    async (guard: CallGuard) =>
      await readManifest({ get: async () => await guard({ operation: 'get', idempotent: true }, async () => undefined) }, 'id'),
  ],
  [
    'Athena',
    async (guard: CallGuard) =>
      await new AthenaEngine(
        {} as AthenaClient,
        { workgroup: 'w', database: 'd', outputLocation: 's3://b/', pollMsMin: 1, pollMsMax: 1 },
        guard,
        async () => undefined,
      ).run(engineRequest('SELECT 1', { queryId: 'q' })),
  ],
])('%s', (_what, ask) => {
  it('the error names the time after which its circuit allows a call', async () => {
    await expect(ask(openCircuit)).rejects.toMatchObject({ code: 'unavailable', retryAfterSeconds: 60 });
  });

  it('the error reports the full bulkhead, and not a missing answer', async () => {
    const pipeline = createPipeline({ ...queryPipelines.redis, name: 'redis', bulkhead: { concurrencyMax: 1 } });
    const { redis: guard } = guardsOver({ find: () => pipeline });
    const running = Promise.withResolvers<void>();
    const first = guard({ operation: 'first', idempotent: true }, async () => await running.promise);
    await expect(ask(guard)).rejects.toMatchObject({ code: 'overloaded', message: 'Too many concurrent calls to redis.' });
    running.resolve();
    await first;
    pipeline.close();
  });
});
