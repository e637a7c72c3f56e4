import { accountOf, chainEndOf, chainStart, faultsOf, filesOf } from '@millrace/lake';
import { expect } from 'vitest';
import type { World } from '../world/world.ts';

/**
 * The table holds every accepted record of the log exactly once, and the ledger is one path from 0 to the log's end.
 *
 * @param duplicates offsets of accepted records whose event the table already has
 */
export function expectExactlyOnce(world: World, duplicates: ReadonlySet<number> = new Set()): void {
  const entries = world.entries();
  let end = chainStart;
  for (const entry of entries) {
    expect(faultsOf(entry, end)).toEqual([]);
    end = chainEndOf(entry);
  }
  expect(end.to).toBe(world.topic.high);

  const named = entries.flatMap((entry) => filesOf(entry).map(({ key }) => key)).toSorted();
  expect([...world.bucket.keys('purchases/'), ...world.bucket.keys('_rejects/')].toSorted()).toEqual(named);

  const accepted = world.accepted();
  expect(
    world
      .rows()
      .map(({ _offset }) => _offset)
      .toSorted((a, b) => a - b),
  ).toEqual(accepted.filter((offset) => !duplicates.has(offset)));
  expect(entries.reduce((sum, entry) => sum + accountOf(entry).rejected, 0)).toBe(world.topic.records.length - accepted.length);
  expect(entries.reduce((sum, entry) => sum + accountOf(entry).dropped, 0)).toBe(duplicates.size);
}
