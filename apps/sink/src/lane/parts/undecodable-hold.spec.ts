import { purchases } from '@millrace/contracts';
import type { UndecodableBatch } from '@millrace/kafka';
import { accountOf, skipKey } from '@millrace/lake';
import { describe, expect, it } from 'vitest';
import { laneHealth } from '../lane-health.ts';
import { purchaseLine } from '../../simulation/parts/purchase-line.ts';
import { tick } from '../../simulation/parts/tick.ts';
import { World } from '../../simulation/world/world.ts';
import type { Writer } from '../../simulation/world/writer.ts';
import { SpoolForecast } from '../../spool/budget/spool-forecast.ts';

const reason = 'unknown compression codec 5';

function worldWith(before: number, corrupt: number, after: number): { world: World; batch: UndecodableBatch } {
  const world = new World();
  for (let n = 0; n < before; n += 1) world.topic.append(purchaseLine(n));
  const batch = world.topic.corrupt(corrupt, reason);
  for (let n = 0; n < after; n += 1) world.topic.append(purchaseLine(1000 + n));
  return { world, batch };
}

function permit(world: World, { from, to, sha256 }: UndecodableBatch, more: Readonly<Record<string, unknown>> = {}): void {
  world.bucket.objects.set(
    skipKey(purchases.topic.name, 0, from),
    Buffer.from(JSON.stringify({ v: 1, topic: purchases.topic.name, partition: 0, from, to, sha256, reason, ...more })),
  );
}

function offsetsOf(world: World): number[] {
  return world
    .rows()
    .map(({ _offset }) => _offset)
    .toSorted((a, b) => a - b);
}

async function live(writer: Writer): Promise<void> {
  writer.start();
  for (let turn = 0; turn < 60; turn += 1) {
    await tick();
    if (writer.lane.state.kind === 'running') await writer.log.fetch(writer.lane, 100);
    if (turn % 10 === 9) writer.flush();
  }
}

describe('a lane before an undecodable batch', () => {
  it('a lane lands the records before an undecodable batch, holds its partition, and names offsets and cause once', async () => {
    const { world } = worldWith(3, 20, 2);
    const writer = world.writer();
    await live(writer);
    expect(offsetsOf(world)).toEqual([0, 1, 2]);
    expect(writer.lane.landed).toBe(3);
    expect(writer.lane.undecodable?.text).toBe(`the batch at offsets 3-22 cannot be decoded: ${reason}`);
    expect(writer.events.filter(({ type }) => type === 'BatchUndecodable')).toHaveLength(1);
    const budget = { bytes: 0, limits: { bytesMax: 1 }, full: false } as never;
    const parts = { lanes: writer.lanes, budget, forecast: new SpoolForecast(), lag: { all: [] } as never, groupTrouble: () => undefined };
    expect(() => laneHealth(parts)).toThrow(`partition 0: the batch at offsets 3-22 cannot be decoded: ${reason}`);
  });

  it('a lane continues when a later fetch can be decoded', async () => {
    const { world } = worldWith(3, 2, 2);
    const writer = world.writer();
    await live(writer);
    world.topic.undecodable.length = 0;
    await live(writer);
    expect(writer.lane.undecodable).toBeUndefined();
    expect(offsetsOf(world)).toEqual([0, 1, 2, 5, 6]);
  });

  it.each([
    ['other bytes', { sha256: '0'.repeat(64) }],
    ['another end', { to: 24 }],
  ])('a lane stays before the batch when the permission is for %s', async (_what, more) => {
    const { world, batch } = worldWith(3, 20, 2);
    permit(world, batch, more);
    const writer = world.writer();
    await live(writer);
    expect(writer.lane.landed).toBe(3);
    expect(writer.lane.holds).toContain('undecodable');
  });

  it.each([[1], [20], [2500]])(
    'a permitted lane makes a reject of each of the %i offsets of the batch, and keeps its bytes once',
    async (count) => {
      const { world, batch } = worldWith(3, count, 2);
      const writer = world.writer();
      await live(writer);
      permit(world, batch);
      await live(writer);
      expect(writer.lane.landed).toBe(world.topic.high);
      expect(writer.lane.undecodable).toBeUndefined();
      expect(offsetsOf(world)).toEqual([0, 1, 2, 3 + count, 4 + count]);
      expect(world.entries().reduce((sum, entry) => sum + accountOf(entry).rejected, 0)).toBe(count);
      const lines = world.bucket
        .keys('_rejects/')
        .flatMap((key) => Buffer.from(world.bucket.objects.get(key)!).toString().trim().split('\n'))
        .map((line) => JSON.parse(line) as { offset: number; reason: string; undecodable: { sha256: string; batch?: string } });
      expect(lines.map(({ offset }) => offset)).toEqual(Array.from({ length: count }, (_, n) => 3 + n));
      expect(new Set(lines.map(({ reason: why, undecodable: { sha256 } }) => `${why} ${sha256}`)).size).toBe(1);
      expect(
        lines.flatMap(({ undecodable: { batch: bytes } }) => (bytes === undefined ? [] : [Buffer.from(bytes, 'base64').toString()])),
      ).toEqual(['batch at 3']);
    },
  );

  it('a lane recognises its log by the last record before the batch, and does not stop there a second time', async () => {
    const { world, batch } = worldWith(3, 20, 0);
    permit(world, batch);
    await live(world.writer());
    world.topic.append(purchaseLine(2000));
    const second = world.writer();
    await live(second);
    expect(second.lane.state.kind).toBe('running');
    expect(second.lane.landed).toBe(24);
    expect(second.events.filter(({ type }) => type === 'BatchUndecodable')).toEqual([]);
  });

  it('a lane holds at the record that identifies its log if that record can no longer be read', async () => {
    const { world } = worldWith(3, 0, 0);
    world.topic.undecodable.length = 0;
    await live(world.writer());
    world.topic.undecodable.push({
      from: 2,
      to: 3,
      code: 'bad-checksum',
      reason: 'its checksum is wrong',
      bytes: Buffer.from('x'),
      sha256: '1'.repeat(64),
      header: undefined,
    });
    world.topic.append(purchaseLine(2000));
    const second = world.writer();
    await live(second);
    expect(second.lane.state.kind).toBe('running');
    expect(second.lane.undecodable?.from).toBe(2);
    permit(world, world.topic.undecodable.at(-1)!);
    await live(second);
    expect(second.lane.landed).toBe(4);
  });
});

describe('offsets without a record', () => {
  it('offsets without a record land as absent at the age limit and are committed, even if no record follows', async () => {
    const world = new World();
    world.topic.append(purchaseLine(0));
    world.topic.skip(1);
    await live(world.writer());
    world.topic.skip(3);
    const writer = world.writer();
    await live(writer);
    expect(writer.lane.landed).toBe(5);
    expect(world.entries().map(({ from, to, absent }) => [from, to, absent])).toEqual([
      [0, 2, [[1, 2]]],
      [2, 5, [[2, 5]]],
    ]);
    expect(world.entries().at(-1)!.last?.offset).toBe(0);
  });

  it('offsets without a record let a lane run, and do not hide that the topic was recreated', async () => {
    const world = new World();
    world.topic.skip(3);
    await live(world.writer());
    expect(world.entries().map(({ from, to, absent }) => [from, to, absent])).toEqual([[0, 3, [[0, 3]]]]);
    world.topic.recreate(
      Array.from({ length: 4 }, (_, n) => purchaseLine(n)),
      '1800000000000',
    );
    const second = world.writer();
    await live(second);
    expect(second.lane.state).toMatchObject({ kind: 'refused', error: { code: 'different-log' } });
  });
});
