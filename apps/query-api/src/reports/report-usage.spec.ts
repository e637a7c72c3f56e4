import { createPipeline } from '@millrace/resilience';
import type { Redis } from 'ioredis';
import { expect, it } from 'vitest';
import { queryPipelines } from '../resilience.ts';
import { ReportUsage } from './report-usage.ts';

it('while Redis gives no answer, usage is asked for a few times and then left out at once', async () => {
  let asked = 0;
  const redis = {
    hgetall: async () => {
      asked += 1;
      return await new Promise<never>(() => undefined);
    },
  } as unknown as Redis;
  const write = createPipeline({ ...queryPipelines['usage-write'], name: 'usage-write' });
  const read = createPipeline({ ...queryPipelines['usage-read'], name: 'usage-read', timeout: { attemptMs: 5, totalMs: 1000 } });
  const usage = new ReportUsage(redis, 'queries', write, read);
  for (let list = 0; list < 10; list += 1) expect(await usage.read(['sales'])).toEqual({});
  expect(asked).toBe(queryPipelines['usage-read'].breaker.minimumCalls);
  write.close();
  read.close();
});
