import type { LaneId } from '../keys.ts';
import type { CallOptions, ObjectStore } from '../object-store.ts';
import { entriesPerCheckpoint, newestCheckpoint, putCheckpoint } from './checkpoint.ts';
import { LaneFold } from './lane-fold.ts';
import { listLedger } from './ledger-keys.ts';
import { readEntries } from './read-entries.ts';

/** Result of {@link catchUpCheckpoints}. */
export interface CaughtUp {
  /** Number of checkpoints that were written. */
  readonly written: number;
  /** Number of landed entries since the newest checkpoint, without the head. */
  readonly since: number;
}

/**
 * Writes every due checkpoint of a lane: one after each `every` entries from offset 0. It leaves the head out, because the head may not
 * have landed. It costs two LISTs and a GET when none is due.
 *
 * @param every entries per checkpoint; default {@link entriesPerCheckpoint}
 * @throws LakeError `bad-entry` when the chain is broken. No checkpoint is written from there on, and the audit names the fault
 */
export async function catchUpCheckpoints(
  store: ObjectStore,
  lane: LaneId,
  options: CallOptions & { readonly every?: number; readonly onWritten?: (to: number) => void } = {},
): Promise<CaughtUp> {
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

/** Dependencies of a {@link Checkpointer}. */
export interface CheckpointerParts {
  readonly store: ObjectStore;
  readonly lane: LaneId;
  /** Entries per checkpoint. Default {@link entriesPerCheckpoint}. */
  readonly every?: number;
  /** Called when a checkpoint could not be written. It is tried again after the next landing. */
  readonly onFailure?: (error: unknown) => void;
  /** Called with the end of each written checkpoint. */
  readonly onWritten?: (to: number) => void;
}

/**
 * Writes a lane's checkpoints while it lands entries. {@link Checkpointer.landed} only counts. A due checkpoint is made from the entries
 * in the background, so that no batch waits for it.
 */
export class Checkpointer {
  readonly #parts: CheckpointerParts;
  /** Landed entries since the newest checkpoint. Undefined before the first read of the ledger. */
  #since: number | undefined;
  #working: Promise<void> | undefined;

  constructor(parts: CheckpointerParts) {
    this.#parts = parts;
  }

  /** Counts a landed entry. It is synchronous and never throws. The signal ends the work in the background. */
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
