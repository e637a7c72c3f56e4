import type { Flow } from '@millrace/contracts';
import { describe, expect, it } from 'vitest';
import { readingsWithin, thinned } from './use-flow.ts';

/** Readings every two seconds. */
function readingsOf(count: number): Flow[] {
  return Array.from({ length: count }, (_, n) => ({ at: new Date(n * 2000).toISOString(), processes: [] }));
}

describe('the readings of the flow', () => {
  it('an hour of readings becomes every one of four minutes and one each half minute of thirty', () => {
    let kept: readonly Flow[] = [];
    for (const reading of readingsOf(1800)) kept = thinned([...kept, reading]);
    expect(kept.at(-1)!.at).toBe('1970-01-01T00:59:58.000Z');
    expect(kept.length).toBeGreaterThan(165);
    expect(kept.length).toBeLessThan(190);
    expect(Date.parse(kept.at(-1)!.at) - Date.parse(kept[0]!.at)).toBeGreaterThan(1_740_000);
  });

  it('a range has the readings of its time, 120 at most', () => {
    const readings = readingsOf(600);
    expect(readingsWithin(readings, 60_000).map(({ at }) => at)).toEqual(readings.slice(-31).map(({ at }) => at));
    expect(readingsWithin(readings, 1_200_000).length).toBeLessThanOrEqual(121);
    expect(readingsWithin([], 60_000)).toEqual([]);
  });
});
