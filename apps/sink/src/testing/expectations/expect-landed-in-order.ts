import { expect } from 'vitest';
import type { LogLine } from '../process/sink-process.ts';

/** Each partition's batches landed one after the other, without a hole. */
export function expectLandedInOrder(lines: readonly LogLine[]): void {
  const reached = new Map<unknown, unknown>();
  for (const { partition, from, to } of lines.filter(({ type }) => type === 'BatchLanded')) {
    expect(from).toBe(reached.get(partition) ?? from);
    reached.set(partition, to);
  }
}
