import { describe, expect, it } from 'vitest';
import { purchases } from '@millrace/contracts';
import type { OpenBatch } from '../../batch/open-batch.ts';
import { checkOf } from '../../batch/records/check.ts';
import type { LogRecord } from '../../kafka/log.ts';
import { purchaseLine } from '../../simulation/parts/purchase-line.ts';
import type { SealedBatch } from '../../spool/batch.ts';
import { SpoolBudget } from '../../spool/budget/spool-budget.ts';
import type { BatchFiles } from '../../spool/spool.ts';
import { TestClock } from '../../testing/test-clock.ts';
import { firstShare, LaneIntake } from './lane-intake.ts';
import type { LaneParts } from './lane-parts.ts';
import { PartitionHolds } from './partition-holds.ts';

const flushBytes = 100_000;
const flushAgeMs = 60_000;

/** The intake of one partition, whose files keep nothing. */
class IntakeUnderTest {
  readonly clock = new TestClock();
  readonly sealed: SealedBatch[] = [];
  readonly #intake: LaneIntake;
  readonly #check;
  #next = 0;

  constructor(partition: number) {
    this.#check = checkOf(purchases, partition);
    const files = { batchId: 'batch', write: async () => undefined, seal: async () => undefined } as unknown as BatchFiles;
    const parts = {
      steps: {
        take: async (batch: OpenBatch, records: readonly LogRecord[]) =>
          await batch.append(records.map((record) => ({ record, result: this.#check(record) }))),
        parts: { observe: () => undefined },
      },
      window: {},
      spool: { open: async () => files },
      budget: new SpoolBudget({ bytesMax: Number.MAX_SAFE_INTEGER, openSegmentsMax: 1000 }, () => undefined),
      clock: this.clock,
      newId: () => 'batch',
      settings: { flushBytes, flushAgeMs },
    } as unknown as LaneParts;
    const log = { pause: () => undefined, resume: () => undefined } as never;
    this.#intake = new LaneIntake(partition, parts, new PartitionHolds(partition, log, () => undefined), {
      inTurn: (run) => void run(),
      sealed: (batch) => void this.sealed.push(batch),
      broken: (error) => expect.unreachable(error.message),
    });
  }

  async append(records: number): Promise<void> {
    for (let n = 0; n < records; n += 1) {
      const offset = this.#next;
      const record: LogRecord = { offset, timestamp: '1', key: null, value: Buffer.from(purchaseLine(offset)), headers: [] };
      await this.#intake.append([record], { position: offset, end: { to: 0, id: null }, last: undefined });
      this.#next += 1;
    }
  }
}

describe('LaneIntake', () => {
  it('the first batches of lanes are sealed at bytes spread from nothing to all', () => {
    const shares = Array.from({ length: 8 }, (_, partition) => firstShare(partition)).toSorted((a, b) => a - b);
    expect(shares.at(-1)).toBe(1);
    const gaps = shares.map((share, n) => share - (shares[n - 1] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThan(0.05);
    expect(Math.max(...gaps)).toBeLessThan(0.2);
  });

  it('a lane seals its first batch early, and each later one at the whole of its bytes', async () => {
    const lane = new IntakeUnderTest(2);
    await lane.append(1500);
    const [first, second, third] = lane.sealed.map(({ bytes }) => bytes);
    expect(first! / flushBytes).toBeCloseTo(firstShare(2), 1);
    expect(second! / flushBytes).toBeCloseTo(1, 1);
    expect(third! / flushBytes).toBeCloseTo(1, 1);
  });

  it('a lane waits a part of the age for its first batch, and the whole age for the next', async () => {
    const lane = new IntakeUnderTest(2);
    await lane.append(1);
    expect(lane.clock.waiting.map(({ ms }) => ms)).toEqual([flushAgeMs * firstShare(2)]);
    lane.clock.ring();
    await new Promise(setImmediate);
    expect(lane.sealed).toHaveLength(1);
    await lane.append(1);
    expect(lane.clock.waiting.map(({ ms }) => ms)).toEqual([flushAgeMs]);
  });
});
