import { describe, expect, it } from 'vitest';
import { expectExactlyOnce } from './verdict/expect-exactly-once.ts';
import type { WriteFault } from './parts/simulated-store.ts';
import { purchaseLine } from './parts/purchase-line.ts';
import { tick } from './parts/tick.ts';
import { World } from './world/world.ts';

function worldWithEvents(): World {
  const world = new World();
  for (let n = 0; n < 9; n += 1) world.topic.append(n === 4 ? 'garbage' : purchaseLine(n));
  return world;
}

const options = { flushBytes: 600 };

async function effectsOfARun(): Promise<number> {
  const world = worldWithEvents();
  const writer = world.writer(options);
  await world.run(writer);
  expectExactlyOnce(world);
  return writer.life.effects.length;
}

describe('a crash', () => {
  it('a crash between any two effects loses nothing and doubles nothing', async () => {
    const effects = await effectsOfARun();
    expect(effects).toBeGreaterThan(40);
    for (let dieAfter = 0; dieAfter <= effects; dieAfter += 1) {
      const world = worldWithEvents();
      await world.run(world.writer({ ...options, dieAfter }));
      // A reader may miss rows, but never sees one twice.
      const offsets = world.rows().map(({ _offset }) => _offset);
      expect(new Set(offsets).size).toBe(offsets.length);
      await world.run(world.writer(options));
      expectExactlyOnce(world);
    }
  });

  it('two crashes in a row, between any two effects, lose nothing and double nothing', async () => {
    const effects = await effectsOfARun();
    for (let dieAfter = 0; dieAfter <= effects; dieAfter += 3) {
      const world = worldWithEvents();
      await world.run(world.writer({ ...options, dieAfter }));
      await world.run(world.writer({ ...options, dieAfter: (dieAfter * 7) % effects }));
      await world.run(world.writer(options));
      expectExactlyOnce(world);
    }
  });
});

describe('a write', () => {
  const faults: readonly WriteFault[] = ['refused', 'answer-lost', 'applied-later', 'applied-twice', 'conflict'];

  it.each(faults)('a write with the fault %s does no harm, whichever it is and whenever it is applied', async (fault) => {
    const world = worldWithEvents();
    await world.run(world.writer(options));
    const writes = world.bucket.writes;
    for (let n = 0; n < writes; n += 1) {
      for (const appliedBy of ['the same writer', 'nobody until the end'] as const) {
        const tried = worldWithEvents();
        tried.bucket.plan = (write) => (write === n ? fault : undefined);
        const writer = tried.writer(options);
        if (appliedBy === 'the same writer') void applySoon(tried);
        await tried.run(writer);
        while (tried.bucket.delayed.length > 0) tried.bucket.applyDelayed();
        expectExactlyOnce(tried);
      }
    }
  });

  it('a write that is applied after its writer died does no harm', async () => {
    const effects = await effectsOfARun();
    for (let dieAfter = 2; dieAfter <= effects; dieAfter += 1) {
      for (const meanwhile of [0, 5, 20]) {
        const world = worldWithEvents();
        // The last write of the dead writer is in flight when it dies, and arrives while its successor works.
        world.bucket.plan = () => 'applied-later';
        const first = world.writer({ ...options, dieAfter });
        await Promise.race([world.run(first), turns(60)]);
        first.life.kill();
        world.bucket.plan = () => undefined;
        const second = world.writer(options);
        void (async () => {
          await turns(meanwhile);
          while (world.bucket.delayed.length > 0) world.bucket.applyDelayed();
        })();
        await world.run(second);
        await turns(meanwhile);
        expectExactlyOnce(world);
      }
    }
  });
});

describe('two writers', () => {
  it('two writers without mutual exclusion make one chain', async () => {
    for (let stagger = 0; stagger < 40; stagger += 1) {
      const world = worldWithEvents();
      const first = world.writer(options);
      const second = world.writer({ flushBytes: 300 });
      const running = world.run(first);
      await turns(stagger);
      await Promise.all([running, world.run(second, 2)]);
      expectExactlyOnce(world);
    }
  });
});

async function applySoon(world: World): Promise<void> {
  for (let turn = 0; turn < 300; turn += 1) {
    await tick();
    world.bucket.applyDelayed();
  }
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await tick();
}
