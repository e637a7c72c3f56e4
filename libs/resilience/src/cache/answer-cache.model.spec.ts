import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AnswerCache } from './answer-cache.ts';
import { modelRuns } from '../testing/model-runs.ts';

const key = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const step = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), key, value: fc.nat() }),
  fc.record({ kind: fc.constant('get' as const), key, ageMsMax: fc.constantFrom(1, 20, 1000) }),
  fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 30 }) }),
  fc.record({ kind: fc.constant('resize' as const), entriesMax: fc.integer({ min: 1, max: 5 }) }),
);

describe('AnswerCache', () => {
  it('the cache holds the most recently used answers after any schedule', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        let entriesMax = 3;
        let nowMs = 0;
        const given: unknown[] = [];
        const expectedOnes: unknown[] = [];
        const cache = new AnswerCache(entriesMax);
        /** Least recently used first. */
        let plain: { readonly key: string; readonly value: number; readonly atMs: number }[] = [];
        for (const each of steps) {
          if (each.kind === 'pass') nowMs += each.ms;
          else if (each.kind === 'resize') {
            entriesMax = each.entriesMax;
            cache.resize(entriesMax);
          } else if (each.kind === 'set') {
            cache.set(each.key, each.value, nowMs);
            plain = [...plain.filter((entry) => entry.key !== each.key), { key: each.key, value: each.value, atMs: nowMs }];
          } else {
            const expected = plain.find((entry) => entry.key === each.key && nowMs - entry.atMs < each.ageMsMax);
            if (expected !== undefined) plain = [...plain.filter((entry) => entry !== expected), expected];
            given.push(cache.get(each.key, each.ageMsMax, nowMs)?.value);
            expectedOnes.push(expected?.value);
          }
          plain = plain.slice(Math.max(0, plain.length - entriesMax));
          expect(cache.size).toBe(plain.length);
        }
        expect(given).toEqual(expectedOnes);
      }),
      modelRuns(300),
    );
  });
});
