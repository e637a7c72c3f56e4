import { entryBytes, parseEntry, type LedgerEntry } from './entry.ts';
import { isLakeError, LakeError } from './errors.ts';
import { entryKey, ledgerPrefix, startAfterFor, type LaneId } from './keys.ts';
import type { CallOptions, ObjectStore } from './object-store.ts';
import { untilDone, type Patience } from './patience.ts';

/** Whose entry stands at an offset after we tried to record ours. */
export type RecordOutcome = { readonly outcome: 'mine' } | { readonly outcome: 'lost'; readonly winner: LedgerEntry };

/** The ledger of one lane: an append-only chain of immutable entries, extended by put-if-absent. */
export class Ledger {
  readonly lane: LaneId;
  readonly #store: ObjectStore;

  constructor(store: ObjectStore, lane: LaneId) {
    this.#store = store;
    this.lane = lane;
  }

  /** The newest entry, or undefined when the ledger is empty. One LIST and one GET, whatever the ledger's length. */
  async head(options: CallOptions = {}): Promise<LedgerEntry | undefined> {
    return await this.#first(undefined, options);
  }

  /** The entry that holds an offset, or undefined when the chain does not reach it. One LIST and one GET. */
  async entryHolding(offset: number, options: CallOptions = {}): Promise<LedgerEntry | undefined> {
    const entry = await this.#first(startAfterFor(this.lane, offset), options);
    return entry !== undefined && entry.to > offset ? entry : undefined;
  }

  /**
   * Records an entry, and finds out whose entry stands there in the end. Only who has seen the entry whose `to` is this `from`,
   * with all its files, may call it.
   *
   * A 200 means ours. After anything else only the object itself tells: an answer may be lost after the PUT was applied, and a PUT
   * that failed may still be applied later. So the key is read back; the same bytes are ours, other bytes are the winner's, and
   * nothing there means the same bytes are sent again.
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
    const [key] = await this.#store.list(prefix, startAfter === undefined ? { ...options, limit: 1 } : { ...options, limit: 1, startAfter });
    if (key === undefined) return undefined;
    const bytes = await this.#store.get(key, options);
    // Entries are never deleted, so a listed key that is not there is a store that lies, or a hand that meddled.
    if (bytes === undefined) throw new LakeError('bad-entry', `${key} is listed but not there`, { key });
    const entry = parseEntry(key, bytes);
    if (entryKey(this.lane, entry.from) !== key) throw new LakeError('bad-entry', `${key} holds the entry of offset ${entry.from}`, { key });
    return entry;
  }
}

function isInvalid(error: unknown): boolean {
  return isLakeError(error, 'invalid');
}
