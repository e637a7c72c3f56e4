import { describe, expect, it } from 'vitest';
import { waitForFailures, waitForRow, waitForText } from './wait-for-report.ts';

const row = waitForRow('trino', 'iceberg', [{ tookMs: 100 }, { tookMs: 300 }, { tookMs: 200 }]);

describe('waitForRow', () => {
  it('a row counts the queries that saw their purchase, and takes the times of these', () => {
    expect(row).toMatchObject({ purchases: 3, seen: 3, p50Ms: 200, p99Ms: 300 });
    const missed = waitForRow('duckdb', 'base', [{ tookMs: 100 }, { tookMs: 9000, missed: '0 rows' }]);
    expect(missed).toMatchObject({ purchases: 2, seen: 1, missed: ['0 rows'], p99Ms: 100 });
  });
});

describe('waitForFailures', () => {
  it('a purchase that was not seen fails the run, and so does a run without rows', () => {
    expect(waitForFailures([row])).toEqual([]);
    expect(waitForFailures([row, { ...row, seen: 2, missed: ['0 rows'] }])).toEqual(['trino iceberg: 1 not seen, the first: 0 rows']);
    expect(waitForFailures([])).toEqual(['nothing was asked']);
  });

  it('the text has a line for each engine and layout', () => {
    expect(waitForText([row], 'none')).toContain('trino   iceberg  3 of 3 seen, from the POST to the answer p50 200 ms, p99 300 ms');
  });
});
