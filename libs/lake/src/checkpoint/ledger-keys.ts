import { fromOfEntryKey, ledgerPrefix, type LaneId } from '../keys.ts';
import type { CallOptions, ObjectStore } from '../object-store.ts';

/** The keys under a lane's ledger prefix. */
export interface LedgerKeys {
  /** Starts of the entries at or above the floor, ascending. Numbers rather than keys: a year of a lane is half a million of them. */
  readonly froms: number[];
  /** Keys that no entry has. */
  readonly strangers: string[];
}

/** Lists the entries that start at or above `floor`: one LIST for every thousand. */
export async function listLedger(store: ObjectStore, lane: LaneId, floor: number, options: CallOptions = {}): Promise<LedgerKeys> {
  const froms: number[] = [];
  const strangers: string[] = [];
  let startAfter: string | undefined;
  for (;;) {
    const page = await store.list(ledgerPrefix(lane), startAfter === undefined ? options : { ...options, startAfter });
    for (const key of page) {
      const from = fromOfEntryKey(key);
      if (from === undefined) strangers.push(key);
      else if (from < floor) return { froms: froms.toReversed(), strangers };
      else froms.push(from);
    }
    if (page.length < 1000) return { froms: froms.toReversed(), strangers };
    startAfter = page.at(-1)!;
  }
}
