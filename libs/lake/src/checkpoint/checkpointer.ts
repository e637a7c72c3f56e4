import type { LaneId } from '../keys.ts';
import type { CallOptions, ObjectStore } from '../object-store.ts';
import { entriesPerCheckpoint, newestCheckpoint, putCheckpoint } from './checkpoint.ts';
import { LaneFold } from './lane-fold.ts';
import { listLedger } from './ledger-keys.ts';
import { readEntries } from './read-entries.ts';

/** What {@link catchUpCheckpoints} did. */
export interface CaughtUp {
  /** Checkpoints written. */
  readonly written: number;
  /** Landed entries since the newest checkpoint, the head not counted. */
  readonly since: number;
}

/**
 * Writes every checkpoint of a lane that is due: one after each `every` entries from offset 0. The head is left out, for it may not
 * have landed. Costs two LISTs and a GET when none is due.
 *
 * @param every entries per checkpoint; default {@link entriesPerCheckpoint}
 * @throws LakeError `bad-entry` when the chain is broken: then nothing is written from there on, and the audit tells
 */
export async function catchUpCheckpoints(store: ObjectStore, lane: LaneId, options: CallOptions & { readonly every?: number; readonly onWritten?: (to: number) => void } = {}): Promise<CaughtUp> {
  const { every = entriesPerCheckpoint, onWritten, ...call } = options;
  const newest = await newestCheckpoint(store, lane, call);
  const fold = new LaneFold(newest);
  const landed = (await listLedger(store, lane, fold.end.to, call)).froms.slice(0, -1);
  const due = landed.slice(0, landed.length - (landed.length % every));
  let read = 0;
  for await (const entry of readEntries(store, lane, due, call)) {
    fold.add(entry);
    read += 1;
    if (read % every !== 0) continue;
    await putCheckpoint(store, lane, fold.totals, call);
    onWritten?.(entry.to);
  }
  return { written: due.length / every, since: landed.length - due.length };
}

/** What a {@link Checkpointer} works with. */
export interface CheckpointerParts {
  readonly store: ObjectStore;
  readonly lane: LaneId;
  /** Entries per checkpoint. Default {@link entriesPerCheckpoint}. */
  readonly every?: number;
  /** Told when a checkpoint could not be written; it is tried again after the next landing. */
  readonly onFailure?: (error: unknown) => void;
  /** Told of the end of each checkpoint written. */
  readonly onWritten?: (to: number) => void;
}

/**
 * Keeps a lane's checkpoints up while it lands entries. {@link Checkpointer.landed} costs nothing but a count; when a checkpoint is
 * due it is made behind, off the path of durability, from the entries themselves.
 */
export class Checkpointer {
  readonly #parts: CheckpointerParts;
  /** Landed entries since the newest checkpoint; not known before the first look. */
  #since: number | undefined;
  #working: Promise<void> | undefined;

  constructor(parts: CheckpointerParts) {
    this.#parts = parts;
  }

  /** An entry has landed. Synchronous, and never throws. The signal ends the work behind it. */
  landed(signal: AbortSignal): void {
    const { every = entriesPerCheckpoint } = this.#parts;
    if (this.#since !== undefined) {
      this.#since += 1;
      if (this.#since < every) return;
    }
    this.#working ??= this.#work(signal).finally(() => (this.#working = undefined));
  }

  /** Resolves when no checkpoint is being made. Never rejects. */
  async idle(): Promise<void> {
    await this.#working;
  }

  async #work(signal: AbortSignal): Promise<void> {
    const { store, lane, every = entriesPerCheckpoint, onFailure, onWritten } = this.#parts;
    try {
      const { since } = await catchUpCheckpoints(store, lane, { signal, every, ...(onWritten === undefined ? {} : { onWritten }) });
      this.#since = since;
    } catch (error) {
      this.#since = undefined;
      if (!signal.aborted) onFailure?.(error);
    }
  }
}
