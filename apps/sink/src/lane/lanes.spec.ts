import type { LedgerEntry } from '@millrace/lake';
import { describe, expect, it } from 'vitest';
import { SinkError } from '../errors.ts';
import { Lanes } from './lanes.ts';
import { OrphanedBatches } from '../spool/orphaned-batches.ts';
import { purchaseLine } from '../simulation/parts/purchase-line.ts';
import { tick } from '../simulation/parts/tick.ts';
import { World } from '../simulation/world/world.ts';
import type { Writer } from '../simulation/world/writer.ts';
import { SpoolBudget, type SpoolLimits } from '../spool/budget/spool-budget.ts';
import type { BatchFiles } from '../spool/spool.ts';

/** The lanes of one process: each has a separate world, and all share one budget. */
class Group {
  readonly worlds: readonly World[];
  readonly budget: SpoolBudget;
  readonly orphans: OrphanedBatches;
  readonly lanes: Lanes;
  /** Orphans that are not on disk any more. */
  readonly gone: string[] = [];
  readonly #writers: readonly Writer[];

  constructor(partitions: number, limits: Partial<SpoolLimits>) {
    this.worlds = Array.from({ length: partitions }, () => new World());
    this.budget = new SpoolBudget({ bytesMax: 1_000_000, openSegmentsMax: 1000, ...limits }, () => this.lanes.room());
    this.#writers = this.worlds.map((world) => world.writer({ budget: this.budget }));
    this.orphans = new OrphanedBatches(this.budget, () => undefined);
    this.lanes = new Lanes((partition) => this.#writers[partition]!.lane, this.budget, this.orphans);
  }

  async start(): Promise<void> {
    this.lanes.assign([...this.#writers.keys()]);
    await turns();
  }

  /** Appends events of several days to a partition, and fetches them at once. False when the partition is paused. */
  async fetch(partition: number, events: number, days = 1): Promise<boolean> {
    const { topic } = this.worlds[partition]!;
    for (let n = 0; n < events; n += 1) topic.append(purchaseLine(topic.high, { purchaseTimestamp: 1_575_121_641 + (n % days) * 86_400 }));
    return await this.#writers[partition]!.log.fetch({ take: async (fetched) => await this.lanes.take({ ...fetched, partition }) }, events);
  }

  /** A chain of batches of a partition that another sink has by now, oldest first; the first one's predecessor is not here. */
  shelve(partition: number, ids: readonly string[], bytes: number): void {
    for (const [n, id] of ids.entries()) {
      this.budget.add(bytes);
      const entry = { id, prev: ids[n - 1] ?? 'landed', from: n, to: n + 1 } as LedgerEntry;
      this.orphans.put(partition, [
        {
          entry,
          bodies: [],
          takenAt: 0,
          bytes,
          files: {
            batchId: id,
            discard: async () => void this.gone.push(id),
            setAside: async () => void this.gone.push(`${id} set aside`),
          } as Partial<BatchFiles> as BatchFiles,
        },
      ]);
    }
  }

  /** Appends an event to a partition whose disk never completes the write. */
  async hang(partition: number): Promise<boolean> {
    this.#writers[partition]!.life.dieAfter(0);
    return await this.fetch(partition, 1);
  }

  /** Partitions of which a batch was sealed, with the reason. */
  get sealed(): string[] {
    return this.#writers.flatMap(({ events }, partition) =>
      events.flatMap((event) => (event.type === 'BatchSealed' ? [`${partition} for ${event.reason}`] : [])),
    );
  }

  get paused(): number[] {
    return this.#writers.flatMap(({ log }, partition) => (log.paused ? [partition] : []));
  }

  s3(isThere: boolean): void {
    for (const { bucket } of this.worlds) bucket.plan = isThere ? () => undefined : () => 'refused';
  }
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 30; turn += 1) await tick();
}

/** The bytes of one event on disk. */
async function bytesOfAnEvent(): Promise<number> {
  const group = new Group(1, {});
  await group.start();
  await group.fetch(0, 1);
  return group.budget.bytes;
}

describe('Lanes', () => {
  it('the lanes seal the largest batch above the limit of open segments, whichever lane opened the last one', async () => {
    const group = new Group(3, { openSegmentsMax: 6 });
    await group.start();
    await group.fetch(0, 2, 2);
    await group.fetch(1, 6, 2);
    await group.fetch(2, 2, 2);
    expect(group.budget.openSegments).toBe(6);
    expect(group.sealed).toEqual([]);
    await group.fetch(0, 3, 3);
    expect(group.sealed).toEqual(['1 for pressure']);
    expect(group.budget.openSegments).toBe(5);
  });

  it('the lanes seal the largest batch and no small one when their bytes on disk come near the limit', async () => {
    const group = new Group(3, { bytesMax: 400 * (await bytesOfAnEvent()) });
    await group.start();
    await group.fetch(0, 1);
    await group.fetch(1, 140);
    group.s3(false);
    await group.fetch(2, 190);
    expect(group.budget.crowded).toBe(true);
    expect(group.sealed).toEqual(['2 for pressure']);
    await group.fetch(0, 1);
    expect(group.sealed).toEqual(['1 for pressure', '2 for pressure']);
    // A batch below a hundredth of the limit is not sealed early; it waits for its age limit.
    await group.fetch(0, 1);
    expect(group.sealed).toEqual(['1 for pressure', '2 for pressure']);
  });

  it('the lanes pause one after the other when the spool is full, and resume together when there is room', async () => {
    const group = new Group(3, { bytesMax: 40_000 });
    await group.start();
    group.s3(false);
    await group.fetch(0, 200);
    expect(group.budget.full).toBe(true);
    expect(group.paused).toEqual([0]);
    await group.fetch(1, 1);
    await group.fetch(2, 1);
    expect(group.paused).toEqual([0, 1, 2]);
    expect(await group.fetch(1, 1)).toBe(false);
    group.s3(true);
    await turns();
    expect(group.paused).toEqual([]);
    expect(await group.fetch(1, 1)).toBe(true);
  });

  it('the lanes continue when batches of partitions that other sinks now own fill the spool', async () => {
    const group = new Group(1, { bytesMax: 40_000 });
    await group.start();
    group.s3(false);
    await group.fetch(0, 200);
    expect(group.paused).toEqual([0]);
    group.shelve(7, ['a', 'b', 'c'], 11_000);
    group.s3(true);
    await turns();
    // Every taken record has landed, and the spool is still full: no lane will take records whose landing could free room.
    expect(group.lanes.all[0]!.queued).toBe(0);
    expect(group.paused).toEqual([0]);
    await group.lanes.publishOrphans(async () => false);
    expect(group.gone).toEqual(['c']);
    expect(group.paused).toEqual([]);
  });

  it('the lanes discard every batch that others recorded, and of the rest only as many as the spool needs room for', async () => {
    const group = new Group(1, { bytesMax: 40_000 });
    await group.start();
    group.shelve(7, ['a', 'b', 'c'], 5000);
    group.shelve(8, ['d', 'e', 'f'], 9000);
    const asked: string[] = [];
    await group.lanes.publishOrphans(async (_partition, { entry }) => {
      asked.push(entry.id);
      return entry.id === 'a' || entry.id === 'b';
    });
    expect(asked).toEqual(['a', 'b', 'c', 'd']);
    expect(group.gone).toEqual(['a', 'b', 'f']);
    expect(group.budget.bytes).toBe(23_000);
  });

  it('the lanes keep batches that may be recorded while the ledger cannot be read', async () => {
    const group = new Group(1, { bytesMax: 40_000 });
    await group.start();
    group.shelve(7, ['a'], 17_000);
    group.shelve(8, ['b', 'c'], 10_500);
    await expect(group.lanes.publishOrphans(async () => await Promise.reject(new Error('S3 is away')))).rejects.toThrow('S3 is away');
    expect(await group.fetch(0, 20)).toBe(true);
    expect(await group.fetch(0, 1)).toBe(true);
    expect(group.budget.crowded).toBe(true);
    expect(group.gone).toEqual(['c']);
  });

  it('the lanes set aside a damaged batch that cannot be published from disk, and try the others', async () => {
    const group = new Group(1, {});
    await group.start();
    group.shelve(7, ['a', 'b'], 10);
    group.shelve(8, ['c'], 10);
    await group.lanes.publishOrphans(async (_partition, { entry }) => {
      if (entry.id === 'a') throw new SinkError('spool-corrupt', 'a is damaged');
      return true;
    });
    expect(group.gone).toEqual(['a set aside', 'b', 'c']);
    expect(group.budget.bytes).toBe(0);
  });

  it('the lanes pause the partitions that the group assigns while they drain', async () => {
    const group = new Group(2, {});
    group.lanes.assign([0]);
    await turns();
    expect(await group.fetch(0, 1)).toBe(true);
    group.s3(false);
    const landBy = new AbortController();
    const drained = group.lanes.drain(landBy.signal, new AbortController().signal);
    group.lanes.assign([0, 1]);
    await turns();
    expect(group.lanes.all.map(({ state, holds }) => [state.kind, holds])).toEqual([
      ['running', ['stopping']],
      ['running', ['stopping']],
    ]);
    expect(group.paused).toEqual([0, 1]);
    landBy.abort();
    await drained;
    expect(group.lanes.all.map(({ state }) => state.kind)).toEqual(['stopped', 'stopped']);
  });

  it('the lanes stop when their time is up, even if a disk hangs', async () => {
    const group = new Group(2, {});
    await group.start();
    void group.hang(0);
    const landBy = new AbortController();
    const stopBy = new AbortController();
    const drained = group.lanes.drain(landBy.signal, stopBy.signal);
    await turns();
    landBy.abort();
    await turns();
    expect(group.lanes.all.map(({ state }) => state.kind)).toEqual(['stopped', 'stopped']);
    stopBy.abort();
    await drained;
  }, 10_000);
});
