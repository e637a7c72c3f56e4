import { entryKey, isLanded, Ledger, parseEntry, type LaneId, type LedgerEntry, type ObjectStore } from '@millrace/lake';
import type { PartitionFilter } from '../../statement/table-reads.ts';

/** Entries that one call follows one by one. Beyond, the head is looked up and the entries between are forgotten. */
const stepsMax = 32;
/** Entries that are remembered of one lane. */
const entriesMax = 256;

interface RememberedEntry {
  readonly to: number;
  readonly partitions: readonly string[];
}

/**
 * Follows the head of one lane's ledger. The next entry has a known key, so an unchanged head costs one GET. Entries never change, and an
 * entry is recorded only after the files of the one before. So the offset of a landed head identifies an exact set of files.
 */
export class LaneHead {
  readonly #store: ObjectStore;
  readonly #lane: LaneId;
  readonly #entries = new Map<number, RememberedEntry>();
  #to: number | undefined;
  /** The head while its files may be missing. */
  #unlanded: LedgerEntry | undefined;

  constructor(store: ObjectStore, lane: LaneId) {
    this.#store = store;
    this.#lane = lane;
  }

  /** The offset up to which the lane has landed, 0 without entries. Undefined while the files of its head are still being published. */
  async follow(signal: AbortSignal): Promise<number | undefined> {
    if (this.#to === undefined) await this.#jump(signal);
    for (let step = 0; ; step += 1) {
      if (step >= stepsMax) {
        await this.#jump(signal);
        break;
      }
      const key = entryKey(this.#lane, this.#to!);
      const bytes = await this.#store.get(key, { signal });
      if (bytes === undefined) break;
      this.#remember(parseEntry(key, bytes));
    }
    if (this.#unlanded !== undefined) {
      if (!(await isLanded(this.#store, this.#unlanded, { signal }))) return undefined;
      this.#unlanded = undefined;
    }
    return this.#to;
  }

  /** Whether every entry of the offsets [from, to) is known and none has a file of these partitions. */
  isUntouched(from: number, to: number, filter: PartitionFilter): boolean {
    let at = from;
    while (at < to) {
      const entry = this.#entries.get(at);
      if (entry === undefined || entry.to <= at || entry.partitions.some((partition) => filter(partition))) return false;
      at = entry.to;
    }
    return at === to;
  }

  async #jump(signal: AbortSignal): Promise<void> {
    const head = await new Ledger(this.#store, this.#lane).head({ signal });
    this.#entries.clear();
    this.#to = head?.to ?? 0;
    this.#unlanded = head;
  }

  #remember(entry: LedgerEntry): void {
    this.#entries.set(entry.from, { to: entry.to, partitions: entry.files.map(({ dt }) => dt) });
    for (const from of this.#entries.keys()) {
      if (this.#entries.size <= entriesMax) break;
      this.#entries.delete(from);
    }
    this.#to = entry.to;
    this.#unlanded = entry;
  }
}
