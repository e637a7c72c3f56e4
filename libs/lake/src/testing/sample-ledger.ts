import { entryBytes, filesOf, type LedgerEntry } from '../entry.ts';
import { dataKey, entryKey, rejectsKey, stagedKey, type LaneId } from '../keys.ts';
import type { ObjectStore } from '../object-store.ts';

/** The lane of the samples. */
export const sampleLane: LaneId = { table: 'purchases', topic: 'bookstore.purchases.v1', partition: 3 };

/**
 * Makes entry `n` of a chain of batches of ten offsets. It has rows of two days. Each fourth entry has a reject in the place of one row.
 */
export function sampleEntry(n: number, lane: LaneId = sampleLane): LedgerEntry {
  const from = n * 10;
  const id = `b${n}`;
  const range = { id, from, to: from + 10 };
  const rejecting = n % 4 === 3;
  const file = (dt: string, index: number, rows: number): LedgerEntry['files'][number] => ({
    key: dataKey(lane, 'dt', dt, range),
    staged: stagedKey(lane.table, id, index),
    dt,
    rows,
    bytes: 100 + n,
    sha256: 'a'.repeat(64),
    minTimestamp: from,
    maxTimestamp: from + 9,
  });
  return {
    v: 1,
    id,
    prev: n === 0 ? null : `b${n - 1}`,
    kind: 'batch',
    from,
    to: from + 10,
    dropped: [[from + 8, from + 9]],
    rejected: rejecting ? [[from + 9, from + 10]] : [],
    absent: [],
    files: [file('2019-11-30', 0, 4), file('2019-12-01', 1, rejecting ? 4 : 5)],
    ...(rejecting
      ? {
          rejects: {
            key: rejectsKey(lane, range),
            staged: stagedKey(lane.table, id, 'rejects'),
            count: 1,
            bytes: 10,
            sha256: 'b'.repeat(64),
          },
        }
      : {}),
    last: { offset: from + 9, timestamp: String(from) },
    topic: { cluster: 'c' },
    writer: 'w',
    contract: 'x/1',
  };
}

/** Records entries [from, to) of the sample chain, without their files. */
export async function recordSamples(store: ObjectStore, from: number, to: number, lane: LaneId = sampleLane): Promise<void> {
  for (let n = from; n < to; n += 1) await store.put(entryKey(lane, n * 10), entryBytes(sampleEntry(n, lane)));
}

/** Publishes the files of entries [from, to) of the sample chain: bytes of the right number, and no Parquet. */
export async function publishSamples(store: ObjectStore, from: number, to: number, lane: LaneId = sampleLane): Promise<void> {
  for (let n = from; n < to; n += 1)
    for (const { key, bytes } of filesOf(sampleEntry(n, lane))) await store.put(key, new Uint8Array(bytes));
}
