import {
  checkpointPrefix,
  fromOfEntryKey,
  ledgerPrefix,
  startAfterFor,
  startAfterForCheckpoint,
  toOfCheckpointKey,
  type LaneId,
} from '../keys.ts';
import type { CallOptions, ObjectStore } from '../object-store.ts';
import { getCheckpoint } from './checkpoint.ts';

/**
 * Returns the number of an entry in its lane's ledger, from 1. It counts from the newest checkpoint below the entry: three calls, and one
 * more LIST for every thousand entries in between.
 *
 * @param from the entry's start
 */
export async function entryNumber(store: ObjectStore, lane: LaneId, from: number, options: CallOptions = {}): Promise<number> {
  const [key] = await store.list(checkpointPrefix(lane), { ...options, limit: 1, startAfter: startAfterForCheckpoint(lane, from) });
  const to = key === undefined ? undefined : toOfCheckpointKey(key);
  const base = to === undefined ? undefined : await getCheckpoint(store, lane, to, options);
  let number = base?.entries ?? 0;
  let startAfter = startAfterFor(lane, from);
  for (;;) {
    const page = await store.list(ledgerPrefix(lane), { ...options, startAfter });
    for (const one of page) {
      const start = fromOfEntryKey(one);
      if (start === undefined) continue;
      if (start < (base?.to ?? 0)) return number;
      number += 1;
    }
    if (page.length < 1000) return number;
    startAfter = page.at(-1)!;
  }
}
