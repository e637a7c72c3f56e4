import { AttemptTimeoutError, createPipeline } from '@millrace/resilience';
import { tmpdir } from 'node:os';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import type { CallGuard } from '../../guards.ts';
import { guardsOver, queryPipelines } from '../../resilience.ts';
import { DuckDbEngine } from './duckdb-engine.ts';
import { engineRequest } from '../../testing-engine.ts';

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** An engine whose process cannot start: it has no httpfs. */
function engineWith(guard: CallGuard): DuckDbEngine {
  const engine = new DuckDbEngine(
    {
      limits: { memoryMiB: 64, processMemoryMiB: 600, threads: 1, tempMiB: 1 },
      tempRoot: tmpdir(),
      httpfsPath: '/nowhere/httpfs.duckdb_extension',
      home: undefined,
      startMsMax: 30_000,
      readMsMax: 1000,
      keptBytesMax: 0,
    },
    { tables: async () => [], readRange: async () => await Promise.reject(new Error('nothing to read')), close: async () => undefined },
    guard,
  );
  closing.push(async () => await engine.close());
  return engine;
}

it('a process that cannot be started is unavailable, and does not count against S3', async () => {
  const pipeline = createPipeline({ ...queryPipelines['duckdb-reads'], name: 'duckdb-reads', breaker: { minimumCalls: 1 } });
  closing.push(() => pipeline.close());
  const engine = engineWith(guardsOver({ find: () => pipeline }).duckdbReads);
  await expect(engine.run(engineRequest('SELECT 1'))).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('could not start') as string,
  });
  expect(pipeline.snapshot().breaker).toMatchObject({ state: 'closed', calls: 0 });
});

it('a statement that takes longer than its pipeline allows is unavailable', async () => {
  const engine = engineWith(async () => await Promise.reject(new AttemptTimeoutError('duckdb-reads', 5)));
  await expect(engine.run(engineRequest('SELECT 1'))).rejects.toMatchObject({ code: 'unavailable' });
});

it('a statement that waits to report its start holds no place among the reads of S3', async () => {
  const guarded: string[] = [];
  const engine = engineWith(async ({ operation, signal }, run) => {
    guarded.push(operation);
    return await run(signal!);
  });
  const told = Promise.withResolvers<void>();
  const hanging = Promise.withResolvers<void>();
  const running = engine.run(
    engineRequest('SELECT 1', {
      onStarted: async () => {
        told.resolve();
        await hanging.promise;
      },
    }),
  );
  await told.promise;
  await turn();
  expect(guarded).toEqual([]);
  hanging.resolve();
  await expect(running).rejects.toMatchObject({ code: 'unavailable' });
  expect(guarded).toEqual(['read']);
});
