import { expect, it } from 'vitest';
import { CountingStore } from '../testing/counting-store.ts';
import { recordSamples, sampleLane } from '../testing/sample-ledger.ts';
import { catchUpCheckpoints } from './checkpointer.ts';
import { entryNumber } from './entry-number.ts';

it('entryNumber counts from the first entry, with or without a checkpoint below', async () => {
  const store = new CountingStore();
  await recordSamples(store, 0, 25);
  const numbers = async (): Promise<number[]> =>
    await Promise.all([0, 90, 100, 110, 240].map(async (from) => await entryNumber(store, sampleLane, from)));
  expect(await numbers()).toEqual([1, 10, 11, 12, 25]);
  await catchUpCheckpoints(store, sampleLane, { every: 10 });
  store.takeCalls();
  expect(await numbers()).toEqual([1, 10, 11, 12, 25]);
  expect(store.takeCalls()).toMatchObject({ list: 10, get: 3 });
});
