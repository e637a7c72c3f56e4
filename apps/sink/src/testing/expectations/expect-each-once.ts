import { expect } from 'vitest';
import { eventIdOf } from '../purchases/purchase-message.ts';
import type { TableRow } from '../process/test-table.ts';

/** Expects each purchase from 0 up to and without `count` once in the table, and no other row. */
export function expectEachOnce(rows: readonly TableRow[], count: number): void {
  expect(rows).toHaveLength(count);
  expect(new Set(rows.map(({ event_id }) => event_id)).size).toBe(count);
  expect(new Set(rows.map(({ _partition, _offset }) => `${_partition}/${_offset}`)).size).toBe(count);
  expect(
    rows
      .map(({ event_id }) => event_id)
      .toSorted()
      .at(-1),
  ).toBe(eventIdOf(count - 1));
}
