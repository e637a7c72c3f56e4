import { LakeError } from '@millrace/lake';
import { expect, it } from 'vitest';
import { DedupWindow } from './dedup-window.ts';
import { Incarnation } from '../simulation/parts/incarnation.ts';
import { SimulatedBucket, SimulatedStore } from '../simulation/parts/simulated-store.ts';
import { simulatedLane } from '../simulation/world/writer.ts';
import { WindowSnapshots } from './window-snapshots.ts';

/** A store whose policy denies deleting snapshots. */
class KeepingStore extends SimulatedStore {
  keeps = true;

  override async delete(key: string): Promise<void> {
    if (this.keeps) throw new LakeError('denied', `${key} may not be deleted`, { key });
    await super.delete(key);
  }
}

it('the snapshots report that older ones may not be deleted, and delete them once that is allowed', async () => {
  const bucket = new SimulatedBucket();
  const store = new KeepingStore(bucket, new Incarnation());
  const failures: unknown[] = [];
  const snapshots = new WindowSnapshots({ store, lane: simulatedLane, every: 1, onFailure: (error) => failures.push(error) });
  const window = new DedupWindow(100);
  const { signal } = new AbortController();
  const land = async (to: number): Promise<string[]> => {
    window.add(`event-${to}`, to - 1);
    snapshots.landed(window, { id: `batch-${to}`, to } as never, signal);
    await snapshots.stopped(window, undefined, signal);
    return bucket.keys('_windows/').map((key) => key.split('-').at(-1)!);
  };
  expect(await land(1)).toEqual(['1']);
  await land(2);
  expect(await land(3)).toEqual(['3', '2', '1']);
  expect(failures).toMatchObject([{ code: 'denied' }, { code: 'denied' }]);
  store.keeps = false;
  expect(await land(4)).toEqual(['4']);
  expect(failures).toHaveLength(2);
});
