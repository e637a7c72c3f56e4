import { LakeError } from '@millrace/lake';
import { createPipeline, DeadlineExceededError } from '@millrace/resilience';
import { describe, expect, it } from 'vitest';
import { readQueryConfig } from './config.ts';
import { readMsMax } from './engines/duckdb/s3-reads.ts';
import { QueryError, Throttled } from './errors.ts';
import { guardsOver, pipelinesOf, queryPipelines, specsOf } from './resilience.ts';

describe('pipelines of the query API', () => {
  it.each(['api', 'worker'] as const)('the %s has pipelines for its calls, and one request stays under the limit of attempts', (root) => {
    const { specs, callPaths = [], attemptsPerRequestMax } = pipelinesOf(readQueryConfig({}), root);
    for (const spec of Object.values(specs))
      expect(() => createPipeline(spec, { load: { eventLoopDelayMs: () => 0, heapUsedRatio: () => 0 } }).close()).not.toThrow();
    const layers = callPaths.flatMap((path) => path.layers).filter((layer) => typeof layer === 'string');
    // Two pipelines surround whole requests and reports, and make no calls themselves.
    expect([...new Set(layers)].toSorted()).toEqual(
      Object.keys(specs)
        .filter((name) => name !== 'http' && name !== 'report')
        .toSorted(),
    );
    expect(attemptsPerRequestMax).toBe(12);
  });

  it('the pipelines take their settings from the environment', () => {
    const { specs } = pipelinesOf(
      readQueryConfig({
        QUERY_S3_BREAKER_BREAK_DURATION_MS: '70',
        QUERY_DUCKDB_READS_BREAKER_MINIMUM_CALLS: '2',
        QUERY_REDIS_ATTEMPT_TIMEOUT_MS: '1099',
      }),
      'worker',
    );
    expect(specs['s3']?.breaker?.breakDurationMs).toBe(70);
    expect(specs['duckdb-reads']?.breaker?.minimumCalls).toBe(2);
    expect(specs['redis']?.timeout?.attemptMs).toBe(1099);
  });

  it('settings that contradict each other are refused by name', () => {
    expect(() => readQueryConfig({ QUERY_S3_ATTEMPT_TIMEOUT_MS: '9000', QUERY_S3_TOTAL_TIMEOUT_MS: '10' })).toThrow(/s3/);
  });

  it('unanswered reads of DuckDB open the circuit within the time of a query while the defaults hold', () => {
    const config = readQueryConfig({});
    const { windowMs, minimumCalls } = specsOf(config)['duckdb-reads'].breaker!;
    const votesInWindow = config.QUERY_DUCKDB_CONCURRENCY * Math.floor(windowMs! / readMsMax(config.QUERY_DUCKDB_READ_SECONDS));
    expect(votesInWindow).toBeGreaterThanOrEqual(minimumCalls!);
  });

  it('a time limit of reads that would outlast a query is refused', () => {
    expect(() => readQueryConfig({ QUERY_DUCKDB_READ_SECONDS: '20' })).toThrow(/QUERY_DUCKDB_READ_SECONDS must be lower: .* 60500 ms/);
    expect(() => readQueryConfig({ QUERY_TIMEOUT_MS: '15500' })).toThrow(/QUERY_DUCKDB_READ_SECONDS/);
    expect(() => readQueryConfig({ QUERY_TIMEOUT_MS: '15501' })).not.toThrow();
  });

  it.each([
    [new QueryError('statement-invalid', 'x'), 'invalid'],
    [new QueryError('unavailable', 'x'), 'transient'],
    [new QueryError('unavailable', 'x', { cause: Object.assign(new Error('x'), { name: 'AccessDenied' }) }), 'invalid'],
    [new LakeError('exists', 'x'), 'invalid'],
    [new LakeError('denied', 'x'), 'invalid'],
    [new LakeError('misconfigured', 'x'), 'invalid'],
    [Object.assign(new Error('x'), { name: 'AccessDeniedException' }), 'invalid'],
    [new LakeError('unavailable', 'x'), 'transient'],
    [new LakeError('unavailable', 'x', { throttled: true }), 'throttled'],
    [new Throttled(new Error('x'), undefined), 'throttled'],
    [new Error('x'), 'transient'],
  ] as const)('the error %o is %s', (error, expected) => {
    expect(queryPipelines.s3.classify(error)).toBe(expected);
  });

  it('a guard begins nothing after the deadline of its call', async () => {
    const pipeline = createPipeline({ name: 's3' });
    const { s3 } = guardsOver({ find: () => pipeline });
    await expect(s3({ operation: 'get', idempotent: true, deadline: Date.now() - 1 }, async () => 1)).rejects.toBeInstanceOf(
      DeadlineExceededError,
    );
    expect(await s3({ operation: 'get', idempotent: true, deadline: Date.now() + 60_000 }, async () => 1)).toBe(1);
    pipeline.close();
  });

  it.each([undefined, 60_000])('a call that waits longer than its own time is unavailable under the deadline %s', async (aheadMs) => {
    const pipeline = createPipeline({
      name: 'redis',
      timeout: { attemptMs: 40, totalMs: 50 },
      bulkhead: { concurrencyMax: 1, queueMax: 1, queueWaitMsMax: 10_000 },
    });
    const { redis } = guardsOver({ find: () => pipeline });
    const blocking = Promise.withResolvers<void>();
    const first = redis({ operation: 'first', idempotent: true }, async () => await blocking.promise).catch(() => undefined);
    const deadline = aheadMs === undefined ? undefined : Date.now() + aheadMs;
    await expect(redis({ operation: 'second', idempotent: true, deadline }, async () => 1)).rejects.toMatchObject({
      code: 'unavailable',
      retryAfterSeconds: 1,
    });
    blocking.resolve();
    await first;
    pipeline.close();
  });

  it('a guard repeats only the calls that may be repeated', async () => {
    const pipeline = createPipeline({ name: 's3', retry: { attemptsMax: 3, baseMs: 0 } });
    const { s3, glue } = guardsOver({ find: (name) => (name === 's3' ? pipeline : undefined) });
    const attempts = { put: 0, start: 0 };
    const failing = (operation: keyof typeof attempts) => async (): Promise<never> => {
      attempts[operation] += 1;
      throw new LakeError('unavailable', 'down');
    };
    await expect(s3({ operation: 'put', idempotent: true }, failing('put'))).rejects.toMatchObject({ code: 'unavailable' });
    await expect(s3({ operation: 'start', idempotent: false }, failing('start'))).rejects.toMatchObject({ code: 'unavailable' });
    expect(attempts).toEqual({ put: 3, start: 1 });
    await expect(glue({ operation: 'partitions', idempotent: true }, async () => 1)).rejects.toThrow('no pipeline glue');
    pipeline.close();
  });
});
