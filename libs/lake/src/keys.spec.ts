import fc from 'fast-check';
import { expect, it } from 'vitest';
import { dataKey, entryKey, fromOfEntryKey, ledgerPrefix, rejectsKey, skipKey, stagedKey, startAfterFor } from './keys.ts';

const lane = { table: 'purchases', topic: 'bookstore.purchases.v1', partition: 3 };

it('keys have their documented form', () => {
  const batch = { id: 'b1', from: 1024, to: 2048 };
  expect(entryKey(lane, 1024)).toBe('_ledger/purchases/bookstore.purchases.v1/p=3/9223372036854774783-1024.json');
  expect(stagedKey('purchases', 'b1', 0)).toBe('_staging/purchases/b1/0');
  expect(dataKey(lane, 'dt', '2019-11-30', batch)).toBe('purchases/dt=2019-11-30/p3-1024-2048-b1.parquet');
  expect(rejectsKey(lane, batch)).toBe('_rejects/purchases/bookstore.purchases.v1/p=3/1024-2048-b1.ndjson');
  expect(skipKey(lane.topic, 3, 120)).toBe('_skips/bookstore.purchases.v1/p=3/120.json');
});

it('entry keys sort the newest entry first, and one LIST finds the entry that holds an offset', () => {
  const offsets = fc.uniqueArray(fc.nat({ max: Number.MAX_SAFE_INTEGER }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(offsets, fc.nat({ max: Number.MAX_SAFE_INTEGER }), (froms, probe) => {
      const keys = froms.map((from) => entryKey(lane, from)).toSorted();
      expect(keys.map((key) => fromOfEntryKey(key))).toEqual(froms.toSorted((a, b) => b - a));
      const found = keys.find((key) => key > startAfterFor(lane, probe));
      const expected = froms.filter((from) => from <= probe);
      expect(found).toBe(expected.length === 0 ? undefined : entryKey(lane, Math.max(...expected)));
    }),
  );
});

it('a key of another form is not an entry key', () => {
  expect(fromOfEntryKey(`${ledgerPrefix(lane)}9223372036854774783-1025.json`)).toBeUndefined();
  expect(fromOfEntryKey('_ledger/purchases/x/p=3/readme')).toBeUndefined();
});
