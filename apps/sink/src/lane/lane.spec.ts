import { describe, expect, it, vi } from 'vitest';
import type { PartitionLog } from '../kafka/log.ts';
import { expectExactlyOnce } from '../simulation/verdict/expect-exactly-once.ts';
import { purchaseLine } from '../simulation/parts/purchase-line.ts';
import { tick } from '../simulation/parts/tick.ts';
import { World } from '../simulation/world/world.ts';
import { SpoolBudget } from '../spool/budget/spool-budget.ts';

function worldWith(count: number): World {
  const world = new World();
  for (let n = 0; n < count; n += 1) world.topic.append(purchaseLine(n));
  return world;
}

describe('Lane', () => {
  it('a lane seals an idle batch when its age is reached', async () => {
    const world = worldWith(2);
    const writer = world.writer();
    writer.start();
    for (let turn = 0; turn < 20; turn += 1) {
      await tick();
      await writer.log.fetch(writer.lane, 5);
    }
    expect(world.entries()).toEqual([]);
    writer.flush();
    for (let turn = 0; turn < 20; turn += 1) await tick();
    expectExactlyOnce(world);
  });

  it('a lane continues from the ledger and not from the committed offset', async () => {
    const world = worldWith(5);
    await world.run(world.writer());
    for (let n = 5; n < 8; n += 1) world.topic.append(purchaseLine(n));
    const second = world.writer();
    await world.run(second);
    expect(world.entries().map(({ from, to }) => [from, to])).toEqual([
      [0, 5],
      [5, 8],
    ]);
    expectExactlyOnce(world);
  });

  it('a lane continues at its own position after a rebalance rewound the fetch', async () => {
    const world = worldWith(12);
    const writer = world.writer({ flushBytes: 1 });
    writer.start();
    for (let turn = 0; turn < 10; turn += 1) await tick();
    await writer.log.fetch(writer.lane, 4);
    await writer.log.fetch(writer.lane, 4);
    writer.log.seek(0);
    writer.lane.rejoin();
    // The fetch starts one record earlier, which proves that the log is the same.
    expect(writer.log.position).toBe(7);
    // The lane also notices a rewind without an event.
    writer.log.seek(2);
    await world.run(writer, 4);
    expectExactlyOnce(world);
  });

  it('a lane records offsets that retention took as a gap, at the start and on the way', async () => {
    const world = worldWith(10);
    world.topic.low = 4;
    const writer = world.writer({ flushBytes: 1 });
    writer.start();
    for (let turn = 0; turn < 20; turn += 1) await tick();
    await writer.log.fetch(writer.lane, 2);
    world.topic.low = 8;
    await world.run(writer);
    expect(world.entries().map(({ kind, from, to }) => [kind, from, to])).toEqual([
      ['gap', 0, 4],
      ['batch', 4, 6],
      ['gap', 6, 8],
      ['batch', 8, 10],
    ]);
    expect(writer.events.filter(({ type }) => type === 'GapRecorded')).toHaveLength(2);
  });

  it('a lane reports a gap at the beginning only if its own entry records one', async () => {
    const world = new World();
    for (let n = 0; n < 6; n += 1) world.topic.append(purchaseLine(n));
    world.topic.low = 4;
    const writers = [world.writer({ flushBytes: 1 }), world.writer({ flushBytes: 1 })];
    for (const writer of writers) writer.start();
    await world.run(writers[0]!);
    await world.run(writers[1]!);
    expect(world.entries().map(({ kind, from, to }) => [kind, from, to])).toEqual([
      ['gap', 0, 4],
      ['batch', 4, 6],
    ]);
    expect(writers.flatMap(({ events }) => events).filter(({ type }) => type === 'GapRecorded')).toHaveLength(1);
  });

  it('a lane refuses another cluster, a shorter log, and a log with another record at the same offset', async () => {
    for (const change of ['cluster', 'shorter', 'record'] as const) {
      const world = worldWith(6);
      await world.run(world.writer());
      if (change === 'cluster') world.topic.cluster = 'cluster-2';
      if (change === 'shorter') world.topic.records.length = 0;
      const other = new World();
      Object.assign(other, { bucket: world.bucket });
      const cluster = world.topic.cluster;
      other.topic.cluster = cluster;
      for (let n = 0; n < (change === 'shorter' ? 3 : 8); n += 1)
        other.topic.append(purchaseLine(n), change === 'record' ? '1700000000001' : undefined);
      const before = world.bucket.keys('').length;
      const writer = other.writer();
      await other.run(writer);
      expect(writer.lane.state).toMatchObject({ kind: 'refused', error: { code: 'different-log' } });
      expect(writer.log.paused).toBe(true);
      expect(world.bucket.keys('')).toHaveLength(before);
    }
  });

  it('a lane lands the records that it has taken while it drains, even when the broker does not answer', async () => {
    const world = worldWith(8);
    const writer = world.writer();
    writer.start();
    for (let turn = 0; turn < 20; turn += 1) await tick();
    await writer.log.fetch(writer.lane, 4);
    const log: PartitionLog = writer.log;
    vi.spyOn(log, 'range').mockImplementation(
      async (signal) => await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
    );
    writer.log.seek(2);
    const fetched = writer.log.fetch(writer.lane, 4);
    await tick();
    await writer.lane.drain(new AbortController().signal);
    await fetched;
    expect(world.entries().map(({ from, to }) => [from, to])).toEqual([[0, 4]]);
  }, 10_000);

  it('a refused lane releases its batches: encoded batches become orphans, and the open batch is dropped', async () => {
    const world = worldWith(6);
    const budget = new SpoolBudget({ bytesMax: 1e9, openSegmentsMax: 1000 }, () => undefined);
    const writer = world.writer({ budget });
    writer.start();
    for (let turn = 0; turn < 20; turn += 1) await tick();
    // One batch has landed, one is encoded and cannot land, one is open.
    for (const s3 of ['there', 'away'] as const) {
      if (s3 === 'away') world.bucket.plan = () => 'refused';
      await writer.log.fetch(writer.lane, 2);
      writer.flush();
      for (let turn = 0; turn < 20; turn += 1) await tick();
    }
    const encoded = budget.bytes;
    expect([writer.lane.landed, encoded > 0]).toEqual([2, true]);
    await writer.log.fetch(writer.lane, 1);
    expect([budget.bytes > encoded, budget.openSegments]).toEqual([true, 1]);
    world.topic.recreate([purchaseLine(7)], '1800000000000');
    writer.log.seek(0);
    await writer.log.fetch(writer.lane, 1);
    expect(writer.lane.state).toMatchObject({ kind: 'refused', error: { code: 'different-log' } });
    for (let turn = 0; turn < 20; turn += 1) await tick();
    expect([writer.lane.queued, writer.lane.openBytes, budget.openSegments, budget.bytes, writer.lanes.orphans.count]).toEqual([
      0,
      0,
      0,
      encoded,
      1,
    ]);
    expect(writer.lane.landed).toBe(2);
    // The age of the batch seals nothing either.
    writer.flush();
    for (let turn = 0; turn < 20; turn += 1) await tick();
    expect(writer.events.filter(({ type }) => type === 'BatchSealed')).toHaveLength(2);
  });

  it('a lane stops and reports it when a file of the head was deleted by hand', async () => {
    const world = worldWith(4);
    await world.run(world.writer());
    for (const key of [...world.bucket.keys('purchases/').slice(0, 1), ...world.bucket.keys('_staging/')]) world.bucket.objects.delete(key);
    world.topic.append(purchaseLine(4));
    const writer = world.writer();
    await world.run(writer);
    expect(writer.lane.state).toMatchObject({ kind: 'refused', error: { code: 'file-lost' } });
    expect(world.entries()).toHaveLength(1);
  });

  it('a lane stages files again from its own disk when they were deleted before they were published', async () => {
    const world = worldWith(4);
    const writer = world.writer();
    let deleted = 0;
    world.bucket.plan = (_n, key) => {
      if (!key.startsWith('_ledger/') || deleted > 0) return undefined;
      for (const staged of world.bucket.keys('_staging/')) {
        world.bucket.objects.delete(staged);
        deleted += 1;
      }
      return undefined;
    };
    await world.run(writer);
    expect(deleted).toBe(2);
    expect(writer.events.filter(({ type }) => type === 'StagedAgain')).toHaveLength(1);
    expectExactlyOnce(world);
  });

  it('a lane seals at the age or size limit; a late event adds one small file and seals nothing', async () => {
    const world = worldWith(6);
    world.topic.append(purchaseLine(6, { purchaseTimestamp: 946_684_800 }));
    for (let n = 7; n < 12; n += 1) world.topic.append(purchaseLine(n));
    await world.run(world.writer());
    const entries = world.entries();
    expect(entries).toHaveLength(1);
    expect(entries[0]!.files.map(({ dt, rows }) => [dt, rows])).toEqual([
      ['2000-01-01', 1],
      ['2019-11-30', 5],
      ['2019-12-01', 6],
    ]);
  });

  it('a lane pauses its partition when the spool is full, and resumes when it has room', async () => {
    const world = worldWith(30);
    const writer = world.writer({ bytesMax: 2000 });
    await world.run(writer);
    const reasons = writer.events.flatMap((event) => (event.type === 'PartitionPaused' ? [event.reason] : []));
    expect(reasons.filter((reason) => reason === 'pressure').length).toBeGreaterThan(1);
    expectExactlyOnce(world);
  });

  it('a lane keeps a bad record with its offset, reason and bytes, and continues', async () => {
    const world = worldWith(1);
    world.topic.append('{"eventId": 7}');
    world.topic.append(purchaseLine(2));
    await world.run(world.writer());
    const [key] = world.bucket.keys('_rejects/');
    const reject = world.bucket.json(key!) as { offset: number; reason: string; value: string };
    expect(reject).toMatchObject({ offset: 1, value: Buffer.from('{"eventId": 7}').toString('base64') });
    expect(reject.reason).toContain('eventId must be of type string');
    expect(reject.reason).toContain('bookId is required');
    expectExactlyOnce(world);
  });
});
