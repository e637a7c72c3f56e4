import { expect, it } from 'vitest';
import { expectExactlyOnce } from './simulation/expect-exactly-once.ts';
import { SimulatedDisk } from './simulation/memory-spool.ts';
import { purchaseLine } from './simulation/purchase-line.ts';
import { tick } from './simulation/tick.ts';
import { World } from './simulation/world.ts';

it('what a full disk refused to seal is sealed once there is room, also when an append was refused since', async () => {
  const world = new World();
  for (let n = 0; n < 2; n += 1) world.topic.append(purchaseLine(n));
  const disk = new SimulatedDisk();
  const writer = world.writer({ disk });
  writer.start();
  for (let turn = 0; turn < 20; turn += 1) await tick();
  expect(await writer.log.fetch(writer.lane, 1)).toBe(true);

  disk.writesToRefuse = 2;
  writer.flush();
  await tick();
  // A fetch that was on its way when the partition was paused.
  expect(await writer.lane.take({ partition: 0, fetchedOffset: 1, records: world.topic.from(1, 1) })).toBe(false);
  expect(writer.lane.holds).toEqual(['disk']);
  await world.run(writer);
  expectExactlyOnce(world);
});
