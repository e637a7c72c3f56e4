import { describe, expect, it } from 'vitest';
import { cursorOf, RejectCounts, rejectListRequestOf } from './reject-listing.ts';

function stepsOver(ms: number): number {
  const counts = new RejectCounts();
  counts.add('a', 0);
  counts.add('a', ms);
  return counts.steps.bucketSeconds;
}

describe('the list of rejects', () => {
  it('the cursor of a page continues after its place', () => {
    const place = { landedAtMs: 1_700_000_000_000, partition: 3, offset: 17 };
    expect(rejectListRequestOf({ cursor: cursorOf(place) })).toMatchObject({ after: place, limit: 100 });
  });

  it('every wrong parameter is named', () => {
    expect(() => rejectListRequestOf({ limit: '0', from: 'yesterday', cursor: 'a', other: '1' })).toThrow(
      expect.objectContaining({
        code: 'validation',
        errors: ['other', 'from', 'limit', 'cursor'].map((field) => expect.objectContaining({ field }) as unknown),
      }) as Error,
    );
  });

  it('counts are sorted by their number and have the time of the oldest and the newest', () => {
    const counts = new RejectCounts();
    counts.add('rare', 5_000);
    counts.add('frequent', 9_000);
    counts.add('frequent', 1_000);
    expect(counts.reasons).toEqual([
      { reason: 'frequent', count: 2, oldestAt: '1970-01-01T00:00:01.000Z', newestAt: '1970-01-01T00:00:09.000Z' },
      { reason: 'rare', count: 1, oldestAt: '1970-01-01T00:00:05.000Z', newestAt: '1970-01-01T00:00:05.000Z' },
    ]);
  });

  it('steps are minutes for an hour and days for half a year, so that there are at most 200', () => {
    expect(stepsOver(3_600_000)).toBe(60);
    expect(stepsOver(180 * 86_400_000)).toBe(86_400);
    expect(new RejectCounts().steps.buckets).toEqual([]);
  });
});
