import { describe, expect, it } from 'vitest';
import { judgeChain, rowOffsets, type JudgedEntry } from './lane-tally.ts';

function entry(from: number, to: number, prev: string | null, more: Partial<JudgedEntry> = {}): JudgedEntry {
  return {
    key: `k${from}`,
    id: `e${from}`,
    prev,
    kind: 'batch',
    from,
    to,
    rejected: [],
    dropped: [],
    absent: [],
    files: [{ key: `f${from}`, rows: to - from, bytes: 1, sha256: '' }],
    ...more,
  };
}
const chain = [
  entry(0, 5, null),
  entry(5, 9, 'e0', {
    rejected: [[6, 7]],
    absent: [[8, 9]],
    files: [{ key: 'f', rows: 2, bytes: 1, sha256: '' }],
    rejects: { key: 'r', count: 1, bytes: 1, sha256: '' },
  }),
  entry(9, 20, 'e5'),
];

describe('judgeChain', () => {
  it('a sound chain has no faults, in any order of its entries', () => {
    expect(judgeChain('t', 3, chain.toReversed())).toEqual({
      topic: 't',
      partition: 3,
      entries: 3,
      to: 20,
      faults: [],
      rejected: 1,
      dropped: 0,
      absent: 1,
      gap: 0,
    });
  });

  it('a gap counts as a gap', () => {
    expect(judgeChain('t', 0, [entry(0, 7, null, { kind: 'gap', files: [] })])).toMatchObject({ faults: [], gap: 7, to: 7 });
  });

  it.each<[string, JudgedEntry[], string]>([
    ['an entry that is missing', [chain[0]!, chain[2]!], 'k9 starts at 9, where 5 was due'],
    ['a second entry at the same place', [...chain, entry(5, 9, 'e0')], 'k5 starts at 5, where 9 was due'],
    ['a predecessor that is not its predecessor', [chain[0]!, { ...chain[1]!, prev: 'other' }], 'k5 follows other, where e0 was due'],
    ['a start above 0', [entry(3, 5, null)], 'k3 starts at 3, where 0 was due'],
    ['offsets without account', [entry(0, 5, null, { files: [] })], 'k0 accounts for 0 of 5 offsets'],
    ['an empty range', [entry(0, 0, null)], 'k0 spans nothing'],
    [
      'rejects without a file',
      [entry(0, 2, null, { rejected: [[0, 1]], files: [{ key: 'f', rows: 1, bytes: 1, sha256: '' }] })],
      'k0 rejects 1 offsets and names 0',
    ],
  ])('the judge finds %s', (_what, entries, fault) => {
    expect(judgeChain('t', 0, entries).faults).toContain(fault);
  });

  it('rowOffsets returns the offsets that must be rows', () => {
    expect([...rowOffsets(chain[1]!)]).toEqual([5, 7]);
    expect([...rowOffsets({ ...chain[1]!, kind: 'gap' })]).toEqual([]);
  });
});
