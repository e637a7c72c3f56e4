import type { Pass, Swept } from '@millrace/lake';
import { expect, it } from 'vitest';
import { tick } from '../../simulation/parts/tick.ts';
import { TestClock } from '../../testing/test-clock.ts';
import { Upkeep } from './upkeep.ts';

const idle: Pass = { outcome: 'idle', files: 0, rows: 0, bytesRead: 0, bytesWritten: 0 };
const swept: Swept = { expired: 0, deleted: 0, waiting: 0 };

/** Upkeep of two tables, whose passes end like this in turn. */
function upkeepOf(outcomes: (Pass['outcome'] | Error)[], compactEveryMs = 1000): { upkeep: Upkeep; clock: TestClock; seen: string[] } {
  const clock = new TestClock();
  const seen: string[] = [];
  const tables = ['a', 'b'].map((table) => ({
    table,
    compaction: {
      pass: async (): Promise<Pass> => {
        const next = outcomes.shift() ?? 'idle';
        if (next instanceof Error) throw next;
        return { ...idle, outcome: next };
      },
    },
    sweep: { run: async () => swept },
  }));
  const observer = {
    onPass: (table: string, { outcome }: Pass): void => void seen.push(`${table} ${outcome}`),
    onSwept: (table: string): void => void seen.push(`${table} swept`),
    onFailure: (table: string, task: string, error: Error): void => void seen.push(`${table} ${task}: ${error.message}`),
  };
  return { upkeep: new Upkeep(tables, { compactEveryMs, sweepEveryMs: 10_000, clock, observer }), clock, seen };
}

it('tables with small files are merged in turn until none is left', async () => {
  const { upkeep, clock, seen } = upkeepOf(['committed', 'committed', 'committed', 'abandoned']);
  upkeep.start();
  clock.ring();
  await tick();
  expect(seen).toEqual(['a committed', 'b committed', 'a committed', 'b abandoned', 'a idle']);
  expect(clock.waiting.map(({ ms }) => ms)).toEqual([1000]);
  await upkeep.stop();
  expect(clock.waiting).toHaveLength(0);
});

it('a failure is reported with its duration until the next success, and does not stop the other table', async () => {
  const { upkeep, clock, seen } = upkeepOf([new Error('S3 is down')]);
  upkeep.start();
  clock.ring();
  await tick();
  expect(seen).toEqual(['a compaction: S3 is down', 'b idle']);
  clock.advance(500);
  expect([upkeep.failingMs('a', 'compaction'), upkeep.failingMs('b', 'compaction'), upkeep.failingMs('a', 'sweep')]).toEqual([500, 0, 0]);
  clock.ring();
  await tick();
  expect(upkeep.failingMs('a', 'compaction')).toBe(0);
  await upkeep.stop();
});

it('without compaction the tables are still swept, at their own interval', async () => {
  const { upkeep, clock, seen } = upkeepOf(['committed'], 0);
  upkeep.start();
  expect(clock.waiting.map(({ ms }) => ms)).toEqual([10_000]);
  clock.advance(10_000);
  clock.ring();
  await tick();
  expect(seen).toEqual(['a swept', 'b swept']);
  await upkeep.stop();
});
