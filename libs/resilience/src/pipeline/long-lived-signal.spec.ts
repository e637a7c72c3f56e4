import { getEventListeners } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { createPipeline } from './create-pipeline.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const work = (): number => 1;

it('a million calls under one long-lived signal leave the heap as it was', async () => {
  const { signal } = new AbortController();
  const pipeline = createPipeline({ name: 's3', breaker: {}, bulkhead: {} });
  const batch = async (n: number): Promise<number> => {
    for (let i = 0; i < n; i += 1) await pipeline.execute(work, { signal });
    collect();
    return process.memoryUsage().heapUsed;
  };
  const before = await batch(50_000);
  const after = await batch(1_000_000);
  // One leaked byte per call would be a megabyte.
  expect(after - before).toBeLessThan(1_000_000);
  expect(getEventListeners(signal, 'abort')).toHaveLength(1);
  pipeline.close();
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
}, 60_000);
