import { expect, it } from 'vitest';
import { SharedRead } from './shared-read.ts';

it('callers during a read share the next one, and never get the one under way', async () => {
  const reads: PromiseWithResolvers<number>[] = [];
  const shared = new SharedRead(async () => {
    reads.push(Promise.withResolvers());
    return await reads.at(-1)!.promise;
  });
  const first = shared.read();
  const [second, third] = [shared.read(), shared.read()];
  expect(reads).toHaveLength(1);
  reads[0]!.resolve(1);
  expect(await first).toBe(1);
  await expect.poll(() => reads.length).toBe(2);
  const fourth = shared.read();
  reads[1]!.resolve(2);
  expect(await Promise.all([second, third])).toEqual([2, 2]);
  await expect.poll(() => reads.length).toBe(3);
  reads[2]!.resolve(3);
  expect(await fourth).toBe(3);
});

it('a failed read fails its own callers only', async () => {
  let reads = 0;
  const shared = new SharedRead(async () => {
    reads += 1;
    if (reads === 1) throw new Error('S3 is away');
    return reads;
  });
  const [first, second] = [shared.read(), shared.read()];
  await expect(first).rejects.toThrow('S3 is away');
  expect(await second).toBe(2);
});
