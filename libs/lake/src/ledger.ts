import { entryBytes, parseEntry, type LedgerEntry } from './entry.ts';
import { isLakeError, LakeError } from './errors.ts';
import { entryKey, ledgerPrefix, startAfterFor, type LaneId } from './keys.ts';
import type { CallOptions, ObjectStore } from './object-store.ts';
import { untilDone, type Patience } from './patience.ts';

/** The owner of the entry at an offset after an attempt to record ours. */
export type RecordOutcome = { readonly outcome: 'mine' } | { readonly outcome: 'lost'; readonly winner: LedgerEntry };

/** The ledger of one lane: an append-only chain of immutable entries, extended by put-if-absent. */
export class Ledger {
  readonly lane: LaneId;
  readonly #store: ObjectStore;

  constructor(store: ObjectStore, lane: LaneId) {
    this.#store = store;
    this.lane = lane;
  }

  /** Reads the newest entry. Undefined when the ledger is empty. It costs one LIST and one GET for a ledger of any length. */
  async head(options: CallOptions = {}): Promise<LedgerEntry | undefined> {
    return await this.#first(undefined, options);
  }

  /** Reads the entry that holds an offset. Undefined when the chain does not reach it. It costs one LIST and one GET. */
  async entryHolding(offset: number, options: CallOptions = {}): Promise<LedgerEntry | undefined> {
    const entry = await this.#first(startAfterFor(this.lane, offset), options);
    return entry !== undefined && entry.to > offset ? entry : undefined;
  }

  /**
   * Records an entry and returns whose entry is there in the end. A caller must have seen the entry whose `to` is this `from`, with all its
   * files.
   *
   * 200 means that the entry is ours. After any other answer the object itself decides. An answer may be lost after the PUT was applied,
   * and a failed PUT may still be applied later. So the key is read back: the same bytes are ours, other bytes are the winner's. If the key
   * is absent, the same bytes are sent again.
   *
   * @throws the signal's reason once it aborts; the outcome is then unknown
   */
  async record(entry: LedgerEntry, patience: Patience, signal: AbortSignal): Promise<RecordOutcome> {
    const key = entryKey(this.lane, entry.from);
    const bytes = entryBytes(entry);
    return await untilDone<RecordOutcome>(
      async () => {
        let putError: unknown;
        try {
          await this.#store.put(key, bytes, { ifAbsent: true, contentType: 'application/json', signal });
          return { outcome: 'mine' };
        } catch (error) {
          putError = error;
        }
        signal.throwIfAborted();
        const found = await untilDone(async () => await this.#store.get(key, { signal }), patience, signal, isInvalid);
        if (found === undefined) throw putError;
        if (Buffer.from(found).equals(bytes)) return { outcome: 'mine' };
        return { outcome: 'lost', winner: parseEntry(key, found) };
      },
      patience,
      signal,
      (error) => isInvalid(error) || isLakeError(error, 'bad-entry'),
    );
  }

  async #first(startAfter: string | undefined, options: CallOptions): Promise<LedgerEntry | undefined> {
    const prefix = ledgerPrefix(this.lane);
    const [key] = await this.#store.list(
      prefix,
      startAfter === undefined ? { ...options, limit: 1 } : { ...options, limit: 1, startAfter },
    );
    if (key === undefined) return undefined;
    const bytes = await this.#store.get(key, options);
    // Entries are never deleted. If a listed key does not exist, the store is inconsistent or someone deleted the entry.
    if (bytes === undefined) throw new LakeError('bad-entry', `${key} is listed but not there`, { key });
    const entry = parseEntry(key, bytes);
    if (entryKey(this.lane, entry.from) !== key)
      throw new LakeError('bad-entry', `${key} holds the entry of offset ${entry.from}`, { key });
    return entry;
  }
}

function isInvalid(error: unknown): boolean {
  return isLakeError(error, 'invalid');
}
