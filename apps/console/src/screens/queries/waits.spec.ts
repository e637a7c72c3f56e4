import type { QueryList } from '@millrace/contracts';
import { expect, it } from 'vitest';
import { waitsOf } from './waits.ts';

function ended(queuedMs: number, isCached = false): QueryList['queries'][number] {
  return {
    id: 'q',
    state: 'succeeded',
    engine: 'duckdb',
    submittedAt: '2026-11-30T10:00:00.000Z',
    statistics: { rows: 1, bytesScanned: 0, queuedMs, executionMs: 1 },
    ...(isCached ? { cached: { at: '2026-11-30T10:00:00.000Z', ageSeconds: 1 } } : {}),
    links: { self: '', results: '' },
  };
}

it('the waits are those of the queries that ran, without answers from the cache', () => {
  expect(waitsOf([])).toBeUndefined();
  expect(waitsOf([ended(0, true)])).toBeUndefined();
  expect(waitsOf([ended(5)])).toEqual({ p50Ms: 5, p95Ms: 5 });
  const many = Array.from({ length: 20 }, (_, n) => ended(20 - n));
  expect(waitsOf([...many, ended(900, true)])).toEqual({ p50Ms: 10, p95Ms: 19 });
});
