import { describe, expect, it } from 'vitest';
import { expectExactlyOnce } from '../../simulation/verdict/expect-exactly-once.ts';
import { purchaseLine } from '../../simulation/parts/purchase-line.ts';
import { World } from '../../simulation/world/world.ts';

/** The S3 calls of a start, window included, after a ledger of `entries` one-record entries, written in lives of `entriesOfALife` each. */
async function callsOfAStart(entries: number, entriesOfALife = entries): Promise<string[]> {
  const world = new World();
  const options = { dedupOffsets: 10_000, entriesPerSnapshot: 20 };
  while (world.topic.high < entries) {
    for (let n = 0; n < entriesOfALife; n += 1) world.topic.append(purchaseLine(world.topic.high));
    const writer = world.writer({ ...options, flushBytes: 1 });
    await world.run(writer, 1);
    writer.life.kill();
  }
  const writer = world.writer(options);
  await world.run(writer);
  expect(writer.lane.position).toBe(entries);
  // The window is whole: an event from the very beginning is known.
  world.topic.append(purchaseLine(0));
  await world.run(writer);
  expect(world.entries().at(-1)).toMatchObject({ dropped: [[entries, entries + 1]], files: [] });
  expectExactlyOnce(world, new Set([entries]));
  return writer.life.effects
    .slice(
      0,
      writer.life.effects.findIndex((effect) => effect === 'seal'),
    )
    .map((effect) => effect.split(' ')[0]!);
}

describe('the start of a lane', () => {
  it('a start costs the same few calls at any length of the ledger', async () => {
    const short = await callsOfAStart(45);
    const long = await callsOfAStart(345);
    expect(long).toEqual(short);
    expect(short.filter((call) => call === 'list')).toHaveLength(4);
    expect(short.length).toBeLessThan(30);
  });

  it('a start costs as few calls behind many lives that were each too short to fill a snapshot', async () => {
    const calls = await callsOfAStart(300, 3);
    expect(calls.filter((call) => call === 'list').length).toBeLessThanOrEqual(4);
    expect(calls.length).toBeLessThan(60);
  });

  it('a start reads the landed files where a snapshot is gone, damaged, or of another ledger', async () => {
    for (const damage of ['gone', 'damaged', 'of another ledger'] as const) {
      const world = new World();
      for (let n = 0; n < 30; n += 1) world.topic.append(purchaseLine(n));
      await world.run(world.writer({ entriesPerSnapshot: 10, flushBytes: 1 }), 1);
      const [key] = world.bucket.keys('_windows/');
      expect(key).toBeDefined();
      const bytes = Buffer.from(world.bucket.objects.get(key!)!);
      if (damage === 'gone') world.bucket.objects.delete(key!);
      if (damage === 'damaged') world.bucket.objects.set(key!, Buffer.concat([bytes.subarray(0, -1), Buffer.from('x')]));
      if (damage === 'of another ledger')
        world.bucket.objects.set(key!, Buffer.from(bytes.toString('latin1').replace('"id":"batch-', '"id":"other-'), 'latin1'));
      world.topic.append(purchaseLine(3));
      await world.run(world.writer());
      expectExactlyOnce(world, new Set([30]));
    }
  });

  it('a lane writes a checkpoint after every thousandth entry, or after the number that is set', async () => {
    const world = new World();
    for (let n = 0; n < 9; n += 1) world.topic.append(purchaseLine(n));
    await world.run(world.writer({ flushBytes: 1, entriesPerCheckpoint: 3 }), 1);
    const [newest] = world.bucket.keys('_checkpoints/');
    expect(world.bucket.json(newest!)).toMatchObject({ entries: 6, to: 6, rows: 6 });
  });
});
