import { describe, expect, it } from 'vitest';
import { expectExactlyOnce } from '../simulation/verdict/expect-exactly-once.ts';
import { SimulatedDisk } from '../simulation/parts/memory-spool.ts';
import { purchaseLine } from '../simulation/parts/purchase-line.ts';
import { tick } from '../simulation/parts/tick.ts';
import { World } from '../simulation/world/world.ts';
import type { Writer } from '../simulation/world/writer.ts';

function worldWith(count: number): World {
  const world = new World();
  for (let n = 0; n < count; n += 1) world.topic.append(purchaseLine(n));
  return world;
}

/** Consumes everything while no write to S3 succeeds. */
async function consumeWithoutS3(world: World, writer: Writer): Promise<void> {
  writer.start();
  for (let turn = 0; turn < 20; turn += 1) await tick();
  world.bucket.plan = () => 'refused';
  while (await writer.log.fetch(writer.lane, 2)) await tick();
  for (let turn = 0; turn < 20; turn += 1) await tick();
}

/** Kills a writer after it records its batch and before it publishes it. */
async function recordedAndNotPublished(world: World, disk = new SimulatedDisk()): Promise<{ readonly disk: SimulatedDisk }> {
  const writer = world.writer({ flushBytes: 1, disk });
  world.bucket.plan = (_n, key) => {
    if (key.startsWith('_ledger/')) queueMicrotask(() => writer.life.kill());
    return undefined;
  };
  await world.run(writer);
  world.bucket.plan = () => undefined;
  expect(world.entries().at(-1)?.to).toBe(world.topic.high);
  expect(world.rows().filter(({ _offset }) => _offset === world.topic.high - 1)).toEqual([]);
  return { disk };
}

function deleteStaged(world: World): void {
  for (const key of world.bucket.keys('_staging/')) world.bucket.objects.delete(key);
}

describe('the spool', () => {
  it('the spool holds batches in order while S3 is down, and lands them when it is back', async () => {
    const world = worldWith(8);
    const writer = world.writer({ flushBytes: 1 });
    await consumeWithoutS3(world, writer);
    expect(writer.lane.queued).toBe(4);
    expect(world.entries()).toEqual([]);
    world.bucket.plan = () => undefined;
    await world.run(writer);
    expectExactlyOnce(world);
  });

  it('the spool is adopted after a crash, with the same bytes under the same id', async () => {
    const world = worldWith(8);
    const disk = new SimulatedDisk();
    const first = world.writer({ flushBytes: 1, disk });
    await consumeWithoutS3(world, first);
    first.life.kill();
    world.bucket.plan = () => undefined;
    const second = world.writer({ disk });
    await world.run(second);
    expect(second.events.filter(({ type }) => type === 'SpoolAdopted')).toMatchObject([{ batches: 4, from: 0, to: 8 }]);
    expect(second.events.filter(({ type }) => type === 'RecordsTaken')).toEqual([]);
    expectExactlyOnce(world);
    expect(disk.files.size).toBe(0);
  });

  it('the spool is dropped when another writer has continued in the meantime', async () => {
    const world = worldWith(8);
    const disk = new SimulatedDisk();
    const first = world.writer({ flushBytes: 1, disk });
    await consumeWithoutS3(world, first);
    first.life.kill();
    world.bucket.plan = () => undefined;
    await world.run(world.writer(), 3);
    const third = world.writer({ disk });
    await world.run(third);
    expect(third.events.filter(({ type }) => type === 'SpoolAdopted')).toEqual([]);
    expect(disk.files.size).toBe(0);
    expectExactlyOnce(world);
  });

  it('the head lands from disk when its staged files are missing', async () => {
    const world = worldWith(2);
    const { disk } = await recordedAndNotPublished(world);
    deleteStaged(world);
    await world.run(world.writer({ disk }));
    expectExactlyOnce(world);
  });

  it('a corrupt batch is set aside, and its range and all later ones are consumed again', async () => {
    const world = worldWith(8);
    const disk = new SimulatedDisk();
    const first = world.writer({ flushBytes: 1, disk });
    await consumeWithoutS3(world, first);
    first.life.kill();
    world.bucket.plan = () => undefined;
    const [victim] = [...disk.files.keys()].filter((name) => name.startsWith('batch-2/') && name.endsWith('.parquet'));
    disk.files.set(victim!, Buffer.from('not what was written'));
    const second = world.writer({ flushBytes: 1, disk });
    await world.run(second);
    expect(disk.setAside).toEqual(['batch-2']);
    expect(second.events.filter(({ type }) => type === 'SpoolAdopted')).toMatchObject([{ batches: 1, to: 2 }]);
    expectExactlyOnce(world);
  });

  it('the lane reads a range again when its batch turns out corrupt while the lane runs', async () => {
    const world = worldWith(8);
    const disk = new SimulatedDisk();
    const writer = world.writer({ flushBytes: 1, disk });
    await consumeWithoutS3(world, writer);
    const [victim] = [...disk.files.keys()].filter((name) => name.startsWith('batch-1/') && name.endsWith('.parquet'));
    disk.files.set(victim!, Buffer.from('not what was written'));
    for (let turn = 0; turn < 10; turn += 1) await tick();
    world.bucket.plan = () => undefined;
    await world.run(writer);
    expect(disk.setAside).toEqual(['batch-1']);
    expectExactlyOnce(world);
  });

  it('the spool becomes an orphan when the partition is revoked, and is adopted when the partition returns', async () => {
    const world = worldWith(8);
    const disk = new SimulatedDisk();
    const writer = world.writer({ flushBytes: 1, disk });
    await consumeWithoutS3(world, writer);
    world.bucket.plan = () => undefined;
    await writer.reassign();
    await world.run(writer);
    expect(writer.events.filter(({ type }) => type === 'SpoolAdopted')).toMatchObject([{ batches: 4 }]);
    expectExactlyOnce(world);
  });

  it('the spool keeps the only copy of a recorded batch when its lane stops before the batch is published', async () => {
    const world = worldWith(2);
    const { disk } = await recordedAndNotPublished(world);
    const second = world.writer({ disk });
    world.bucket.plan = () => 'refused';
    second.start();
    for (let turn = 0; turn < 20; turn += 1) await tick();
    expect(second.events).toContainEqual(expect.objectContaining({ type: 'StepFailed', step: 'publish' }));
    deleteStaged(world);
    await second.lose();
    for (let turn = 0; turn < 20; turn += 1) await tick();
    world.bucket.plan = () => undefined;
    await second.reassign();
    await world.run(second);
    expectExactlyOnce(world);
    expect(disk.files.size).toBe(0);
  });

  it('the spool keeps the only copy of a recorded batch while its staged files are deleted repeatedly', async () => {
    const world = worldWith(2);
    const disk = new SimulatedDisk();
    const writer = world.writer({ flushBytes: 1, disk });
    world.bucket.plan = (_n, key) => {
      if (key.startsWith('purchases/')) deleteStaged(world);
      return undefined;
    };
    await world.run(writer);
    expect(writer.lane.state).toMatchObject({ kind: 'refused', error: { code: 'file-lost' } });
    expect(writer.events.filter(({ type }) => type === 'StagedAgain')).toHaveLength(3);
    world.bucket.plan = () => undefined;
    // The lane searches for its head again.
    writer.flush();
    for (let turn = 0; turn < 20; turn += 1) await tick();
    await world.run(writer);
    expectExactlyOnce(world);
  });

  it('a damaged copy on disk is not used: the lane reports that the file is lost', async () => {
    const world = worldWith(2);
    const { disk } = await recordedAndNotPublished(world);
    const second = world.writer({ disk });
    await second.fillOrphans();
    const [victim] = [...disk.files.keys()].filter((name) => name.endsWith('.parquet'));
    disk.files.set(victim!, Buffer.from('not what was written'));
    deleteStaged(world);
    world.bucket.plan = (_n, key) => (key.startsWith('_staging/') ? 'refused' : undefined);
    await world.run(second);
    expect(disk.setAside).toEqual(['batch-1']);
    expect(second.lane.state).toMatchObject({ kind: 'refused', error: { code: 'file-lost' } });
  });

  it.each(['alive', 'dead'] as const)(
    'a recorded batch without its staged copy is published from disk for another writer; the first writer is %s',
    async (state) => {
      const world = worldWith(8);
      const disk = new SimulatedDisk();
      const first = world.writer({ disk });
      let recorded = false;
      world.bucket.plan = (_n, key) => {
        if (recorded) return 'refused';
        recorded = key.startsWith('_ledger/');
        return undefined;
      };
      first.start();
      for (let turn = 0; turn < 20; turn += 1) await tick();
      while (await first.log.fetch(first.lane, 8)) await tick();
      first.flush();
      for (let turn = 0; turn < 20; turn += 1) await tick();
      expect(world.entries()).toHaveLength(1);
      if (state === 'alive') await first.lose();
      else first.life.kill();
      deleteStaged(world);
      world.bucket.plan = () => undefined;

      const second = world.writer();
      await world.run(second);
      expect(second.lane.state).toMatchObject({ kind: 'refused', error: { code: 'file-lost' } });
      const holder = state === 'alive' ? first : world.writer({ disk });
      if (state === 'dead') await holder.fillOrphans();
      await holder.publishRecorded();
      expect(disk.files.size).toBe(0);
      await world.run(second);
      expectExactlyOnce(world);
    },
  );

  it('the spool keeps unrecorded batches for their lane', async () => {
    const world = worldWith(8);
    const disk = new SimulatedDisk();
    const first = world.writer({ flushBytes: 1, disk });
    await consumeWithoutS3(world, first);
    world.bucket.plan = () => undefined;
    await first.lose();
    const kept = disk.files.size;
    await first.publishRecorded();
    expect(disk.files.size).toBe(kept);
    expect(world.bucket.keys('purchases/')).toEqual([]);
  });

  it('a batch whose offset another entry holds is discarded, so that a recorded batch behind it is published', async () => {
    const world = worldWith(4);
    const disk = new SimulatedDisk();
    // Two processes died on this disk. The first one had sealed its batch, whose offsets up to 2 another writer recorded,
    const first = world.writer({ flushBytes: 1, disk });
    await consumeWithoutS3(world, first);
    await first.lose();
    world.bucket.plan = () => undefined;
    const other = world.writer({ flushBytes: 1 });
    other.start();
    for (let turn = 0; turn < 20; turn += 1) await tick();
    await other.log.fetch(other.lane, 2);
    for (let turn = 0; turn < 20; turn += 1) await tick();
    other.life.kill();
    // and the second one recorded the batch after them.
    await recordedAndNotPublished(world, disk);
    first.life.kill();
    expect(world.entries().map(({ to }) => to)).toEqual([2, 4]);
    deleteStaged(world);

    const holder = world.writer({ disk });
    await holder.fillOrphans();
    for (let batches = 0; batches < 3; batches += 1) await holder.publishRecorded();
    expect(disk.files.size).toBe(0);
    expectExactlyOnce(world);
  });
});
