import type { LaneId } from '../keys.ts';
import type { CallOptions, ObjectStore } from '../object-store.ts';
import { newestCheckpoint } from './checkpoint.ts';
import { LaneFold, type LaneTotals } from './lane-fold.ts';
import { listLedger } from './ledger-keys.ts';
import { readEntries } from './read-entries.ts';

/**
 * A lane's totals up to its head, from the newest checkpoint and the entries after it. It takes at most a thousand GETs for a ledger of any
 * length. The head is counted whether or not it has landed.
 *
 * @throws LakeError `bad-entry` when the entries since the checkpoint are not a chain
 */
export async function readLaneTotals(store: ObjectStore, lane: LaneId, options: CallOptions = {}): Promise<LaneTotals> {
  const fold = new LaneFold(await newestCheckpoint(store, lane, options));
  const { froms } = await listLedger(store, lane, fold.end.to, options);
  for await (const entry of readEntries(store, lane, froms, options)) fold.add(entry);
  return fold.totals;
}
