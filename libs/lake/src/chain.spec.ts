import { describe, expect, it } from 'vitest';
import { chainEndOf, chainStart, faultsOf } from './chain.ts';
import { entryBytes, parseEntry, type LedgerEntry } from './entry.ts';

const entry: LedgerEntry = {
  v: 1,
  id: 'b1',
  prev: null,
  kind: 'batch',
  from: 0,
  to: 10,
  dropped: [[3, 4]],
  rejected: [[5, 7]],
  absent: [[9, 10]],
  files: [{ key: 'k', staged: 's', dt: '2019-11-30', rows: 6, bytes: 100, sha256: 'a'.repeat(64), minTimestamp: 1, maxTimestamp: 2 }],
  rejects: { key: 'r', staged: 'sr', count: 2, bytes: 10, sha256: 'b'.repeat(64) },
  last: { offset: 8, timestamp: '1', eventId: 'e' },
  topic: { cluster: 'c' },
  writer: 'w',
  contract: 'x/1',
};

describe('the chain', () => {
  it('the chain accepts an entry that starts at 0 and its successor', () => {
    expect(faultsOf(entry, chainStart)).toEqual([]);
    expect(
      faultsOf(
        { ...entry, id: 'b2', prev: 'b1', from: 10, to: 20, dropped: [[13, 14]], rejected: [[15, 17]], absent: [[19, 20]] },
        chainEndOf(entry),
      ),
    ).toEqual([]);
  });

  it('the chain names every fault of an entry that does not fit', () => {
    expect(faultsOf({ ...entry, from: 1, prev: 'other', files: [] }, chainStart)).toEqual([
      'starts at 1, but the chain ends at 0',
      'names other as its predecessor, which is nothing',
      'accounts for 4 of the 9 offsets it spans',
    ]);
    expect(faultsOf({ ...entry, rejects: { ...entry.rejects!, count: 1 } }, chainStart)).toEqual([
      'names 2 rejected offsets, but its reject file has 1',
    ]);
  });

  it('the offsets of a gap count as accounted for', () => {
    const { rejects: _rejects, last: _last, ...rest } = entry;
    expect(faultsOf({ ...rest, kind: 'gap', files: [], dropped: [], rejected: [], absent: [], reason: 'retention' }, chainStart)).toEqual(
      [],
    );
  });
});

describe('ledger entries', () => {
  it('an entry is the same after encoding and parsing', () => {
    expect(parseEntry('k', entryBytes(entry))).toEqual(entry);
  });

  it('an invalid entry is refused, and the error names the field', () => {
    expect(() => parseEntry('k', Buffer.from('{'))).toThrow('k is not JSON');
    expect(() => parseEntry('k', Buffer.from(JSON.stringify({ ...entry, from: -1 })))).toThrow('k: from must be at least 0');
  });
});
