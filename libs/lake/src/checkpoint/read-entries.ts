import { parseEntry, type LedgerEntry } from '../entry.ts';
import { LakeError } from '../errors.ts';
import { entryKey, type LaneId } from '../keys.ts';
import type { CallOptions, ObjectStore } from '../object-store.ts';

/** Number of entries that are read concurrently. */
const readsAtOnce = 16;

/**
 * Reads the entries that start at the given offsets, in that order, a few at a time.
 *
 * @throws LakeError `bad-entry` when one does not exist, cannot be read, or has another offset's key
 */
export async function* readEntries(
  store: ObjectStore,
  lane: LaneId,
  froms: readonly number[],
  options: CallOptions = {},
): AsyncGenerator<LedgerEntry> {
  for (let start = 0; start < froms.length; start += readsAtOnce) {
    yield* await Promise.all(froms.slice(start, start + readsAtOnce).map(async (from) => await readEntry(store, lane, from, options)));
  }
}

/**
 * Reads the entry that starts at an offset.
 *
 * @throws LakeError `bad-entry` when it does not exist, cannot be read, or has another offset's key
 */
export async function readEntry(store: ObjectStore, lane: LaneId, from: number, options: CallOptions = {}): Promise<LedgerEntry> {
  const key = entryKey(lane, from);
  const bytes = await store.get(key, options);
  if (bytes === undefined) throw new LakeError('bad-entry', `${key} is listed but not there`, { key });
  const entry = parseEntry(key, bytes);
  if (entry.from !== from) throw new LakeError('bad-entry', `${key} holds the entry of offset ${entry.from}`, { key });
  return entry;
}
