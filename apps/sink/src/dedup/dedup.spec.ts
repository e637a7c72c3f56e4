import { describe, expect, it } from 'vitest';
import { expectExactlyOnce } from '../simulation/verdict/expect-exactly-once.ts';
import { purchaseLine } from '../simulation/parts/purchase-line.ts';
import { World } from '../simulation/world/world.ts';
import type { Writer } from '../simulation/world/writer.ts';

/** A log whose records carry these events, in this order. */
function worldOf(...events: readonly number[]): World {
  const world = new World();
  for (const event of events) world.topic.append(purchaseLine(event));
  return world;
}

const offsetsOf = (world: World): number[] =>
  world
    .rows()
    .map(({ _offset }) => _offset)
    .toSorted((a, b) => a - b);

describe('deduplication', () => {
  it('deduplication makes one row of an event repeated in a fetch, a batch or another batch, and records the drops', async () => {
    const world = worldOf(1, 2, 1, 3, 2, 4, 1);
    await world.run(world.writer({ flushBytes: 500 }), 3);
    expect(offsetsOf(world)).toEqual([0, 1, 3, 5]);
    expect(world.entries().flatMap(({ dropped }) => dropped)).toEqual([
      [2, 3],
      [4, 5],
      [6, 7],
    ]);
  });

  it('deduplication looks back a number of offsets, and takes the event again after that', async () => {
    const world = worldOf(1, 2, 3, 1, 4, 1);
    await world.run(world.writer({ dedupOffsets: 2 }), 1);
    // At offset 3 the row at offset 0 is outside the window; at offset 5 the row at offset 3 is inside it.
    expect(offsetsOf(world)).toEqual([0, 1, 2, 3, 4]);
  });

  it('deduplication restores the kept rows from the landed files alone after a crash', async () => {
    const world = worldOf(1, 2, 3, 4);
    await world.run(world.writer({ flushBytes: 1 }), 1);
    for (const event of [4, 5, 1, 5]) world.topic.append(purchaseLine(event));
    const second = world.writer({ flushBytes: 1, dedupOffsets: 5 });
    await world.run(second, 1);
    // Event 1 at offset 6 is kept: its row at offset 0 is six offsets before it.
    expect(offsetsOf(world)).toEqual([0, 1, 2, 3, 5, 6]);
  });

  it('deduplication forgets the rows that it took and lost to another writer', async () => {
    const world = worldOf(1, 2);
    const loser = world.writer();
    await started(loser);
    await loser.log.fetch(loser.lane, 2);
    // The winner recorded the same offsets first, cut differently. Event 3 follows, and the loser has read it, too.
    world.topic.append(purchaseLine(3));
    await loser.log.fetch(loser.lane, 1);
    const winner = world.writer();
    await world.run(winner);
    for (const event of [3, 4]) world.topic.append(purchaseLine(event));
    await world.run(loser);
    expect(loser.events.filter(({ type }) => type === 'RaceLost')).toHaveLength(1);
    expect(offsetsOf(world)).toEqual([0, 1, 2, 4]);
    expectExactlyOnce(world, new Set([3]));
  });
});

async function started(writer: Writer): Promise<void> {
  writer.start();
  while (writer.lane.state.kind !== 'running') await new Promise((resolve) => setImmediate(resolve));
}
