import {
  fromOfEntryKey,
  LaneFold,
  ledgerPrefix,
  newestCheckpoint,
  readEntries,
  type InspectableStore,
  type LaneId,
  type LaneTotals,
} from '@millrace/lake';
import { QueryError } from '../errors.ts';

/**
 * Maximum number of entries that one read follows. A sink writes a checkpoint every thousand entries, so that a start needs about as many.
 */
export const entriesMax = 5000;

/** A lane up to the head of its ledger. */
export interface LaneState {
  readonly partition: number;
  readonly totals: LaneTotals;
  /** Time at which the newest entry was recorded, in epoch milliseconds. Undefined before the first. */
  readonly recordedAtMs: number | undefined;
}

/**
 * Follows the ledger of one lane. The first read takes the newest checkpoint and the entries since; each later one costs a LIST and one GET
 * for each new entry.
 */
export class LaneReader {
  readonly #store: InspectableStore;
  readonly #lane: LaneId;
  #fold: LaneFold | undefined;

  constructor(store: InspectableStore, lane: LaneId) {
    this.#store = store;
    this.#lane = lane;
  }

  /**
   * Reads the lane as it is now.
   *
   * @throws LakeError `bad-entry` when the ledger is not a chain. The next read begins anew then
   */
  async read(signal: AbortSignal): Promise<LaneState> {
    const fold = this.#fold ?? new LaneFold(await newestCheckpoint(this.#store, this.#lane, { signal }));
    // Until the end of this read, which may fail in the middle of the chain.
    this.#fold = undefined;
    const { froms, recordedAtMs } = await this.#entriesFrom(fold.end.to, signal);
    for await (const entry of readEntries(this.#store, this.#lane, froms, { signal })) fold.add(entry);
    this.#fold = fold;
    return { partition: this.#lane.partition, totals: fold.totals, recordedAtMs };
  }

  /** The newest entries have the first keys. */
  async #entriesFrom(floor: number, signal: AbortSignal): Promise<{ froms: number[]; recordedAtMs: number | undefined }> {
    const froms: number[] = [];
    let recordedAtMs: number | undefined;
    let startAfter: string | undefined;
    for (;;) {
      const page = await this.#store.listSized(ledgerPrefix(this.#lane), startAfter === undefined ? { signal } : { signal, startAfter });
      recordedAtMs ??= page[0]?.putAtMs;
      for (const { key } of page) {
        const from = fromOfEntryKey(key);
        if (from === undefined) continue;
        if (from < floor) return { froms: froms.toReversed(), recordedAtMs };
        froms.push(from);
      }
      if (froms.length > entriesMax) throw tooMany(this.#lane);
      if (page.length < 1000) return { froms: froms.toReversed(), recordedAtMs };
      startAfter = page.at(-1)!.key;
    }
  }
}

function tooMany({ table, partition }: LaneId): QueryError {
  return new QueryError(
    'unavailable',
    `The ledger of partition ${partition} of ${table} has more than ${entriesMax} entries without a checkpoint. A sink writes the checkpoints: start one.`,
    { retryAfterSeconds: 60 },
  );
}
