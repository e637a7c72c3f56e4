import { describe, expect, it } from 'vitest';
import type { LagWatch, PartitionLag } from '../kafka/lag-watch.ts';
import { laneHealth } from './lane-health.ts';
import { spoolView } from './lanes.ts';
import { SimulatedDisk } from '../simulation/parts/memory-spool.ts';
import { purchaseLine } from '../simulation/parts/purchase-line.ts';
import type { ReadFault } from '../simulation/parts/simulated-store.ts';
import { tick } from '../simulation/parts/tick.ts';
import { World } from '../simulation/world/world.ts';
import { SpoolBudget } from '../spool/budget/spool-budget.ts';
import { SpoolForecast } from '../spool/budget/spool-forecast.ts';
import type { Writer } from '../simulation/world/writer.ts';

// More entries than any test makes.
const readsFail = Array.from({ length: 10_000 }, (): ReadFault => 'failed');

/** A machine on which sinks start and die, with one clock for all of them. */
class Machine {
  readonly world = new World();
  readonly disk = new SimulatedDisk();
  writer!: Writer;
  budget!: SpoolBudget;

  async start(): Promise<void> {
    this.budget = new SpoolBudget({ bytesMax: 1e9, openSegmentsMax: 1000 }, () => this.writer.lanes.room());
    this.writer = this.world.writer({ flushBytes: 1, disk: this.disk, budget: this.budget });
    this.writer.start();
    await this.turns();
  }

  async turns(): Promise<void> {
    for (let turn = 0; turn < 30; turn += 1) await tick();
  }

  async fetchAll(): Promise<void> {
    while (await this.writer.log.fetch(this.writer.lane, 2)) await tick();
    await this.turns();
  }

  get spool(): { batches: number; bytes: number; oldestAgeMs: number } {
    const { batches, bytes, oldestAgeMs } = spoolView(this.writer.lanes, this.budget, this.world.now);
    return { batches, bytes, oldestAgeMs };
  }

  health(lag: readonly PartitionLag[] = [], trouble?: string): string {
    return laneHealth({
      lanes: this.writer.lanes,
      budget: this.budget,
      forecast: new SpoolForecast(),
      lag: { all: lag } as LagWatch,
      groupTrouble: () => trouble,
    });
  }
}

async function machineWith(events: number): Promise<Machine> {
  const machine = new Machine();
  for (let n = 0; n < events; n += 1) machine.world.topic.append(purchaseLine(n));
  await machine.start();
  return machine;
}

describe('the batches in the spool', () => {
  it('the batches in the spool are counted and age further after a crash, before and after the lane finds its head', async () => {
    const machine = await machineWith(8);
    const { world } = machine;
    world.now = 1_700_000_000_000;
    world.bucket.plan = () => 'refused';
    await machine.fetchAll();
    world.now += 60_000;
    const before = machine.spool;
    expect(before).toMatchObject({ batches: 4, oldestAgeMs: 60_000 });
    machine.writer.life.kill();

    world.bucket.reads.push(...readsFail);
    world.now += 60_000;
    await machine.start();
    expect(machine.writer.lane.state.kind).toBe('starting');
    expect(machine.spool).toEqual({ ...before, oldestAgeMs: 120_000 });

    world.bucket.reads.length = 0;
    await machine.turns();
    expect(machine.writer.lane.queued).toBe(4);
    world.now += 60_000;
    expect(machine.spool).toEqual({ ...before, oldestAgeMs: 180_000 });

    // The partition moves to another sink, and the waiting batch becomes an orphan.
    await machine.writer.lose();
    expect(machine.spool).toEqual({ ...before, oldestAgeMs: 180_000 });

    world.bucket.plan = () => undefined;
    machine.writer.lanes.assign([0]);
    await machine.turns();
    expect(machine.spool).toEqual({ batches: 0, bytes: 0, oldestAgeMs: 0 });
    expect(machine.writer.events.find(({ type }) => type === 'BatchLanded')).toMatchObject({ ageMs: 180_000 });
  });
});

function stalled(partition: number, stalledMs: number): PartitionLag {
  return { partition, end: 12, taken: 4, landed: 4, stalledMs };
}

describe('laneHealth', () => {
  it('the health reports the spool even when lanes do nothing', async () => {
    const machine = await machineWith(4);
    expect(machine.health()).toMatch(/^1 lanes, 0 batches and 0 of 1000000000 bytes in the spool, the oldest 0 s old$/);
    await machine.fetchAll();
    machine.writer.life.kill();
    machine.world.bucket.reads.push(...readsFail);
    await machine.start();
    machine.world.now += 20_000;
    expect(() => machine.health()).toThrow(/^1 lanes have waited for 20 s for the head of their ledger; 1 lanes, 0 batches/);
    machine.writer.life.kill();
  });

  it('the health names the lanes whose disk accepts no writes', async () => {
    const machine = await machineWith(4);
    machine.disk.writesToRefuse = 1;
    await machine.fetchAll();
    expect(() => machine.health()).toThrow(
      /^the disk of the spool accepts no writes from 1 lanes \(partitions 0\); they wait; 1 lanes, 0 batches/,
    );
    machine.writer.flush();
    await machine.fetchAll();
    expect(machine.health()).toMatch(/^1 lanes, 0 batches/);
  });

  it('the health names the partition that takes none of its waiting records, with the cause', async () => {
    const machine = await machineWith(4);
    await machine.fetchAll();
    expect(machine.health([stalled(0, 60_000)])).toMatch(/^1 lanes/);
    expect(() => machine.health([stalled(0, 75_000)])).toThrow(
      /^partition 0 has taken nothing for 75 s while 8 records wait: Kafka gives no record from offset 4 on: .*; 1 lanes, /,
    );
    const crash = 'the consumer group is not joined; the last error: a header is null';
    expect(() => machine.health([stalled(0, 75_000), stalled(1, 0)], crash)).toThrow(
      `partition 0 has taken nothing for 75 s while 8 records wait: ${crash}; 1 lanes`,
    );
    const many = Array.from({ length: 10 }, (_, partition) => stalled(partition, 75_000));
    expect(() => machine.health(many)).toThrow(/partition 7 has taken .*; 2 more partitions stall too; 1 lanes/);
  });

  it('the health names no partition that a full spool holds, because Kafka is the queue then', async () => {
    const machine = await machineWith(4);
    await machine.fetchAll();
    machine.budget.add(1e9);
    machine.world.topic.append(purchaseLine(4));
    machine.world.topic.append(purchaseLine(5));
    await machine.writer.log.fetch(machine.writer.lane, 1);
    expect(machine.writer.lane.holds).toContain('pressure');
    expect(machine.health([stalled(0, 75_000)])).toMatch(/it is full, and Kafka is the queue$/);
  });
});
