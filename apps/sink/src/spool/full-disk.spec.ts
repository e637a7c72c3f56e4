import { expect, it } from 'vitest';
import { expectExactlyOnce } from '../simulation/verdict/expect-exactly-once.ts';
import { SimulatedDisk } from '../simulation/parts/memory-spool.ts';
import { purchaseLine } from '../simulation/parts/purchase-line.ts';
import { tick } from '../simulation/parts/tick.ts';
import { World } from '../simulation/world/world.ts';

async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await tick();
}

it('a batch that a full disk refused to seal is sealed when there is room, even after a refused append', async () => {
  const world = new World();
  for (let n = 0; n < 2; n += 1) world.topic.append(purchaseLine(n));
  const disk = new SimulatedDisk();
  const writer = world.writer({ disk });
  writer.start();
  await turns();
  expect(await writer.log.fetch(writer.lane, 1)).toBe(true);

  disk.writesToRefuse = 2;
  writer.flush();
  await tick();
  // A fetch that was on its way when the partition was paused.
  expect(await writer.lane.take({ partition: 0, fetchedOffset: 1, records: world.topic.from(1, 1), next: 2 })).toBe(false);
  expect(writer.lane.holds).toEqual(['disk']);
  await world.run(writer);
  expectExactlyOnce(world);
});

it.each(['appends to', 'seals'])(
  'an open batch with missing files is dropped when the lane %s it, and read again; sealed batches stay',
  async (step) => {
    const world = new World();
    for (let n = 0; n < 4; n += 1) world.topic.append(purchaseLine(n));
    const disk = new SimulatedDisk();
    const writer = world.writer({ disk });
    writer.start();
    await turns();
    // One batch that is sealed and cannot land, and one that is open.
    world.bucket.plan = () => 'refused';
    expect(await writer.log.fetch(writer.lane, 2)).toBe(true);
    writer.flush();
    await turns();
    expect(await writer.log.fetch(writer.lane, 1)).toBe(true);
    const [sealed] = disk.owners.keys();
    disk.sweepOpen();

    if (step === 'seals') writer.flush();
    else await writer.log.fetch(writer.lane, 1);
    await turns();
    expect(writer.lane.holds).toEqual(['disk']);
    writer.flush();
    await turns();
    world.bucket.plan = () => undefined;
    await world.run(writer);
    expect(world.entries()[0]).toMatchObject({ id: sealed, from: 0, to: 2 });
    expectExactlyOnce(world);
  },
);
