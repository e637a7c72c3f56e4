import { purchases, type LedgerTimeline } from '@millrace/contracts';
import {
  commitBytes,
  commitKey,
  dataKey,
  entryBytes,
  entryKey,
  stagedKey,
  type InspectableStore,
  type LaneId,
  type LedgerEntry,
} from '@millrace/lake';
import { beforeEach, describe, expect, it } from 'vitest';
import { QueryError } from '../errors.ts';
import { LedgerReader } from './ledger-reader.ts';

const stream = { ...purchases, topic: { ...purchases.topic, partitions: 2 } };
const { signal } = new AbortController();
const laneOf = (partition: number): LaneId => ({ table: 'purchases', topic: purchases.topic.name, partition });

let objects: Map<string, { readonly bytes: Uint8Array; readonly putAtMs: number }>;
let gets: number;
let now: number;
let reader: LedgerReader;

const store = {
  get: async (key: string) => {
    gets += 1;
    return await Promise.resolve(objects.get(key)?.bytes);
  },
  size: async (key: string) => await Promise.resolve(objects.get(key)?.bytes.byteLength),
  listFolders: async (prefix: string) =>
    await Promise.resolve(
      [...objects.keys()].filter((key) => key.startsWith(prefix)).map((key) => `${key.slice(prefix.length).split('/')[0]}/`),
    ),
  listSized: async (prefix: string, { startAfter = '' }: { readonly startAfter?: string } = {}) =>
    await Promise.resolve(
      [...objects]
        .filter(([key]) => key.startsWith(prefix) && key > startAfter)
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .slice(0, 1000)
        .map(([key, { bytes, putAtMs }]) => ({ key, bytes: bytes.byteLength, putAtMs })),
    ),
} as unknown as InspectableStore;

beforeEach(() => {
  objects = new Map();
  gets = 0;
  now = 1_000_000;
  reader = new LedgerReader({ stream, store, now: () => now });
});

/** Records an entry of ten offsets: nine rows and one reject, or a gap. */
function record(
  partition: number,
  n: number,
  putAtMs: number,
  { kind = 'batch', isLanded = true }: { readonly kind?: LedgerEntry['kind']; readonly isLanded?: boolean } = {},
): void {
  const lane = laneOf(partition);
  const range = { id: `b${partition}-${n}`, from: n * 10, to: n * 10 + 10 };
  const file = { dt: '2026-01-01', key: dataKey(lane, 'dt', '2026-01-01', range), staged: stagedKey('purchases', range.id, 0) };
  const sums = { bytes: 100, sha256: 'a'.repeat(64) };
  const rejects = { key: `_rejects/${range.id}`, staged: `_staging/${range.id}`, count: 1, ...sums };
  const entry: LedgerEntry = {
    v: 1,
    ...range,
    prev: n === 0 ? null : `b${partition}-${n - 1}`,
    kind,
    dropped: [],
    rejected: kind === 'gap' ? [] : [[range.to - 1, range.to]],
    absent: [],
    files: kind === 'gap' ? [] : [{ ...file, rows: 9, minTimestamp: 1, maxTimestamp: 2, ...sums }],
    ...(kind === 'gap' ? { reason: 'retention' } : { rejects }),
    topic: { cluster: 'test' },
    writer: 'test',
    contract: purchases.contract,
  };
  objects.set(entryKey(lane, range.from), { bytes: entryBytes(entry), putAtMs });
  if (isLanded)
    for (const { key } of [...entry.files, ...(entry.rejects === undefined ? [] : [entry.rejects])])
      objects.set(key, { bytes: Buffer.alloc(1), putAtMs });
}

function commit(n: number, files: number, putAtMs: number): void {
  const text = {
    v: 1,
    n,
    id: `c${n}`,
    prev: null,
    topic: 't',
    metadata: 'm',
    position: {},
    files,
    rows: 1,
    lostRows: 0,
    atMs: putAtMs,
    writer: 'w',
  } as const;
  objects.set(commitKey('purchases', n), { bytes: commitBytes(text), putAtMs });
}

async function read(fromMs: number, toMs: number, steps = 10): Promise<LedgerTimeline> {
  return await reader.read({ fromMs, toMs, steps }, signal);
}

describe('LedgerReader', () => {
  it('entries are summed by lane and step, and listed with their files', async () => {
    record(0, 0, 100_000);
    record(0, 1, 550_000);
    record(1, 0, 560_000);
    const timeline = await read(500_000, 600_000);
    expect(timeline).toMatchObject({
      entries: 2,
      unread: 0,
      listedFrom: '1970-01-01T00:08:20.000Z',
      stepMs: 10_000,
      lanes: [
        { partition: 0, to: 20, isLanded: true, steps: [{ step: 5, entries: 1, offsets: 10, rows: 9, rejected: 1, unread: 0 }] },
        { partition: 1, to: 10, steps: [{ step: 6 }] },
      ],
      list: [
        { partition: 1, from: 0, rows: 9, files: [{ dt: '2026-01-01', rows: 9 }], rejectFile: '_rejects/b1-0' },
        { partition: 0, from: 10 },
      ],
    });
  });

  it('a partition beyond the contract has its lane', async () => {
    record(0, 0, 550_000);
    record(4, 0, 560_000);
    const timeline = await read(500_000, 600_000);
    expect(timeline.lanes.map(({ partition, to }) => [partition, to])).toEqual([
      [0, 10],
      [1, 0],
      [2, 0],
      [3, 0],
      [4, 10],
    ]);
    expect(timeline.list).toMatchObject([{ partition: 4, from: 0 }, { partition: 0 }]);
  });

  it('an entry is read once', async () => {
    for (let n = 0; n < 20; n += 1) record(0, n, 500_000 + n);
    await read(0, 1_000_000);
    gets = 0;
    await read(0, 1_000_000);
    expect(gets).toBe(0);
  });

  it('an answer reads a limited number of entries, the newest first, and the next one continues', async () => {
    for (let n = 0; n < 1500; n += 1) record(0, n, n * 100);
    const first = await read(0, 1_000_000);
    expect([first.entries, first.unread, first.list]).toEqual([1500, 899, undefined]);
    expect(first.lanes[0]!.steps.reduce((sum, { offsets }) => sum + offsets, 0)).toBe(15_000);
    expect((await read(0, 1_000_000)).unread).toBe(299);
    expect((await read(0, 1_000_000)).unread).toBe(0);
  });

  it('a gap has its reason, and a head without its files has not landed', async () => {
    record(0, 0, 100_000, { kind: 'gap' });
    record(1, 0, 100_000, { isLanded: false });
    expect(await read(0, 1_000_000)).toMatchObject({
      gaps: [{ partition: 0, from: 0, to: 10, reason: 'retention' }],
      lanes: [{ isLanded: true }, { isLanded: false }],
    });
  });

  it('a commit that leaves fewer files is a compaction', async () => {
    commit(1, 8, 100_000);
    commit(2, 12, 200_000);
    commit(3, 3, 300_000);
    commit(4, 5, 400_000);
    const compaction = { commit: 3, at: '1970-01-01T00:05:00.000Z', filesBefore: 12, filesAfter: 3 };
    expect((await read(0, 1_000_000)).compactions).toEqual([compaction]);
    expect((await read(250_000, 350_000)).compactions).toEqual([compaction]);
    expect((await read(350_000, 450_000)).compactions).toEqual([]);
  });

  it('an entry whose object is missing makes the ledger unavailable', async () => {
    record(0, 0, 100_000);
    record(0, 1, 200_000);
    const broken = { ...store, get: async () => await Promise.resolve(undefined) } as InspectableStore;
    const failing = new LedgerReader({ stream, store: broken, now: () => now });
    const error: unknown = await failing.read({ fromMs: 0, toMs: 1_000_000, steps: 1 }, signal).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(QueryError);
    expect(error).toMatchObject({ code: 'unavailable' });
  });
});
