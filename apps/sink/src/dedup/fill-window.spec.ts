import { LakeError } from '@millrace/lake';
import { expect, it } from 'vitest';
import { DedupWindow } from './dedup-window.ts';
import type { RowId } from '../spool/segment-encoder.ts';
import { fillWindow } from './fill-window.ts';
import { Incarnation } from '../simulation/parts/incarnation.ts';
import { LineEncoder, SimulatedDisk } from '../simulation/parts/memory-spool.ts';
import { purchaseLine } from '../simulation/parts/purchase-line.ts';
import { SimulatedStore } from '../simulation/parts/simulated-store.ts';
import { tick } from '../simulation/parts/tick.ts';
import { World } from '../simulation/world/world.ts';
import { simulatedLane } from '../simulation/world/writer.ts';

/** Reads rows with a delay, so that the rows of the other files arrive after a failure. */
class SlowEncoder extends LineEncoder {
  override async rowIds(file: Uint8Array, from: number): Promise<readonly RowId[]> {
    for (let turn = 0; turn < 10; turn += 1) await tick();
    return await super.rowIds(file, from);
  }
}

/** A store that fails one read of a file while the other reads are in flight. */
class FailingStore extends SimulatedStore {
  failing = true;

  override async get(key: string): Promise<Uint8Array | undefined> {
    if (!this.failing || !key.startsWith('purchases/')) return await super.get(key);
    this.failing = false;
    throw new LakeError('unavailable', '500', { key });
  }
}

it('late reads of a failed attempt do not reach the window of the next attempt', async () => {
  const world = new World();
  for (let event = 0; event < 6; event += 1) world.topic.append(purchaseLine(event));
  await world.run(world.writer({ flushBytes: 1 }), 1);
  const store = new FailingStore(world.bucket, new Incarnation());
  const source = { store, lane: simulatedLane, encoder: new SlowEncoder(new Incarnation(), new SimulatedDisk()) };
  const window = new DedupWindow(100);
  const { signal } = new AbortController();
  await expect(fillWindow(window, 6, source, signal)).rejects.toThrow('500');
  for (let turn = 0; turn < 20; turn += 1) await tick();
  expect(window.knownTo).toBe(0);
  await fillWindow(window, 6, source, signal);
  expect([0, 1, 2, 3, 4, 5].map((event) => window.holds((JSON.parse(purchaseLine(event)) as { eventId: string }).eventId, 6))).toEqual(
    Array.from({ length: 6 }, () => true),
  );
});
