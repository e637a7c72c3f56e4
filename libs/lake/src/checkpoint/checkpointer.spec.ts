import { describe, expect, it } from 'vitest';
import { checkpointKey, checkpointPrefix, entryKey } from '../keys.ts';
import { CountingStore } from '../testing/counting-store.ts';
import { recordSamples, sampleEntry, sampleLane as lane } from '../testing/sample-ledger.ts';
import { getCheckpoint, newestCheckpoint } from './checkpoint.ts';
import { catchUpCheckpoints, Checkpointer } from './checkpointer.ts';
import { LaneFold } from './lane-fold.ts';
import { readLaneTotals } from './lane-totals.ts';

const signal = new AbortController().signal;

function foldOf(entries: number) {
  const fold = new LaneFold();
  for (let n = 0; n < entries; n += 1) fold.add(sampleEntry(n));
  return fold.totals;
}

describe('checkpoints', () => {
  it('a checkpoint follows every 1,000 landed entries, and the head is not one of them', async () => {
    const store = new CountingStore();
    await recordSamples(store, 0, 1000);
    expect(await catchUpCheckpoints(store, lane)).toEqual({ written: 0, since: 999 });
    await recordSamples(store, 1000, 1001);
    expect(await catchUpCheckpoints(store, lane)).toEqual({ written: 1, since: 0 });
    expect(await getCheckpoint(store, lane, 10_000)).toEqual({ v: 1, ...foldOf(1000) });
  });

  it('every writer makes the same bytes, from the start or from the last checkpoint', async () => {
    const [grown, rebuilt] = [new CountingStore(), new CountingStore()];
    await recordSamples(grown, 0, 15);
    await catchUpCheckpoints(grown, lane, { every: 10 });
    await recordSamples(grown, 15, 45);
    await recordSamples(rebuilt, 0, 45);
    expect([await catchUpCheckpoints(grown, lane, { every: 10 }), await catchUpCheckpoints(rebuilt, lane, { every: 10 })]).toEqual([
      { written: 3, since: 4 },
      { written: 4, since: 4 },
    ]);
    const keys = await grown.list(checkpointPrefix(lane));
    expect(keys).toEqual([40, 30, 20, 10].map((n) => checkpointKey(lane, n * 10)));
    for (const key of keys) expect(Buffer.from(grown.objects.get(key)!.bytes).equals(rebuilt.objects.get(key)!.bytes)).toBe(true);
  });

  it('an unreadable checkpoint is skipped and written again', async () => {
    const store = new CountingStore();
    await recordSamples(store, 0, 31);
    await catchUpCheckpoints(store, lane, { every: 10 });
    await store.put(checkpointKey(lane, 300), Buffer.from('{"v":1'));
    expect((await newestCheckpoint(store, lane))?.to).toBe(200);
    expect(await catchUpCheckpoints(store, lane, { every: 10 })).toEqual({ written: 1, since: 0 });
    expect((await newestCheckpoint(store, lane))?.to).toBe(300);
  });

  it('checkpoints end at a broken chain', async () => {
    const store = new CountingStore();
    await recordSamples(store, 0, 31);
    store.objects.delete(entryKey(lane, 150));
    await expect(catchUpCheckpoints(store, lane, { every: 10 })).rejects.toThrow(
      'the entry at offset 160 starts at 160, but the chain ends at 150; names b15 as its predecessor, which is b14',
    );
    expect((await newestCheckpoint(store, lane))?.to).toBe(100);
  });

  it("reading the totals of a lane takes a bounded number of reads, regardless of the ledger's length", async () => {
    const store = new CountingStore();
    await recordSamples(store, 0, 2345);
    await catchUpCheckpoints(store, lane);
    store.takeCalls();
    expect(await readLaneTotals(store, lane)).toEqual(foldOf(2345));
    expect(store.takeCalls()).toEqual({ put: 0, get: 1 + 345, head: 0, copy: 0, list: 2, delete: 0 });
  });
});

describe('Checkpointer', () => {
  it('the lane reads the ledger once at its first landing and then counts', async () => {
    const store = new CountingStore();
    const checkpointer = new Checkpointer({ store, lane, every: 10 });
    await recordSamples(store, 0, 5);
    store.takeCalls();
    checkpointer.landed(signal);
    await checkpointer.idle();
    expect(store.takeCalls()).toMatchObject({ list: 2, get: 0, put: 0 });
    for (let n = 5; n < 10; n += 1) {
      await recordSamples(store, n, n + 1);
      checkpointer.landed(signal);
      await checkpointer.idle();
    }
    expect(store.takeCalls()).toMatchObject({ list: 0, get: 0, put: 5 });
    await recordSamples(store, 10, 11);
    checkpointer.landed(signal);
    await checkpointer.idle();
    expect(store.takeCalls()).toMatchObject({ list: 2, get: 10, put: 2 });
    expect((await newestCheckpoint(store, lane))?.to).toBe(100);
  });

  it('a failed checkpoint does not stop the lane, and a later landing writes it', async () => {
    const store = new CountingStore();
    const failures: unknown[] = [];
    const checkpointer = new Checkpointer({ store, lane, every: 2, onFailure: (error) => failures.push(error) });
    await recordSamples(store, 0, 4);
    const list = store.list.bind(store);
    store.list = async () => await Promise.reject(new Error('S3 is away'));
    checkpointer.landed(signal);
    await checkpointer.idle();
    expect(failures).toEqual([new Error('S3 is away')]);
    store.list = list;
    checkpointer.landed(signal);
    await checkpointer.idle();
    expect((await newestCheckpoint(store, lane))?.to).toBe(20);
  });
});
