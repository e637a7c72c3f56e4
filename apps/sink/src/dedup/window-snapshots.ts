import { createHash } from 'node:crypto';
import { Ledger, type LaneId, type LedgerEntry, type ObjectStore } from '@millrace/lake';
import type { DedupWindow } from './dedup-window.ts';

/** Entries between two snapshots of a window: the maximum that a start has to read. */
export const entriesPerSnapshot = 25;

// After fewer entries a clean stop writes no snapshot: the next start reads those entries instead.
const entriesWorthKeeping = 10;

interface Header {
  readonly v: 1;
  /** The entry at whose end the snapshot was taken. */
  readonly id: string;
  /** The rows kept in [from, to). */
  readonly from: number;
  readonly to: number;
  readonly sha256: string;
}

/** Dependencies of {@link WindowSnapshots}. */
export interface WindowSnapshotsParts {
  readonly store: ObjectStore;
  readonly lane: LaneId;
  /** Entries per snapshot. Default {@link entriesPerSnapshot}. */
  readonly every?: number;
  /** Called when a snapshot could not be written, or an older one could not be deleted. Both are retried. */
  readonly onFailure?: (error: unknown) => void;
}

// Maximum of older snapshots that are deleted after a new one. There is only one, unless S3 has refused deletions for some time.
const deletedAtOnce = 10;

/**
 * Snapshots of a lane's window at `_windows/<table>/<topic>/p=<partition>/`. With one, a start reads one object and the entries since,
 * not every small file of the last 131,072 offsets. A snapshot is a projection like a checkpoint: it holds landed rows only. Landed rows
 * never change, so every reader can use it, and it can be deleted at any time.
 */
export class WindowSnapshots {
  readonly #parts: WindowSnapshotsParts;
  readonly #every: number;
  /** Entries that the next start would have to read. */
  #since = 0;
  #working: Promise<void> | undefined;

  constructor(parts: WindowSnapshotsParts) {
    this.#parts = parts;
    this.#every = parts.every ?? entriesPerSnapshot;
  }

  /** Fills the window from the newest snapshot, where there is one that a start at `landedTo` can use. Takes few calls in every case. */
  async load(window: DedupWindow, landedTo: number, signal: AbortSignal): Promise<void> {
    if (window.offsets === 0 || landedTo === 0 || window.covers(landedTo)) return;
    const { store, lane } = this.#parts;
    const [key] = await store.list(this.#prefix, { signal, limit: 1 });
    const bytes = key === undefined ? undefined : await store.get(key, { signal });
    const snapshot = bytes === undefined ? undefined : parseSnapshot(Buffer.from(bytes));
    if (snapshot === undefined) return;
    const { id, from, to } = snapshot.header;
    const least = Math.max(0, landedTo - window.offsets);
    if (from > least || to > landedTo || to <= Math.max(window.knownTo, least)) return;
    // Use only a snapshot of this ledger: the bucket may have held another one before.
    const entry = await new Ledger(store, lane).entryHolding(to - 1, { signal });
    if (entry?.id !== id || entry.to !== to) return;
    window.forgetAll(least);
    window.addBytes(snapshot.rows, from, least);
    window.passed(to);
    this.#since = 0;
  }

  /** Counts the entries that a start had to read. Otherwise a series of short lives would never write a snapshot. */
  behind(entries: number): void {
    this.#since += entries;
  }

  /** An entry has landed. Never throws: without a snapshot the next start reads more files. */
  landed(window: DedupWindow, entry: LedgerEntry, signal: AbortSignal): void {
    this.#since += 1;
    if (this.#since >= this.#every) this.#working ??= this.#save(window, entry, signal).finally(() => (this.#working = undefined));
  }

  /** Saves the window when the lane stops cleanly, for the next owner of the partition. Never throws. */
  async stopped(window: DedupWindow, head: LedgerEntry | undefined, signal: AbortSignal): Promise<void> {
    await this.#working;
    if (head !== undefined && this.#since >= entriesWorthKeeping) await this.#save(window, head, signal);
  }

  async #save(window: DedupWindow, { id, to }: LedgerEntry, signal: AbortSignal): Promise<void> {
    // The window is far ahead of the landed rows and has forgotten the oldest ones. A later call saves it.
    if (!window.covers(to)) return;
    const from = Math.max(0, to - window.offsets);
    const rows = window.bytes(from, to);
    const header: Header = { v: 1, id, from, to, sha256: sha256Of(rows) };
    const key = `${this.#prefix}${(BigInt(Number.MAX_SAFE_INTEGER) - BigInt(to)).toString().padStart(16, '0')}-${to}`;
    const { store, onFailure } = this.#parts;
    try {
      await store.put(key, Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), rows]), { signal });
      this.#since = 0;
      // Keys are inverted: later keys are older snapshots.
      for (const older of await store.list(this.#prefix, { signal, startAfter: key, limit: deletedAtOnce }))
        await store.delete(older, { signal });
    } catch (error) {
      if (!signal.aborted) onFailure?.(error);
    }
  }

  get #prefix(): string {
    const { table, topic, partition } = this.#parts.lane;
    return `_windows/${table}/${topic}/p=${partition}/`;
  }
}

function parseSnapshot(bytes: Buffer): { readonly header: Header; readonly rows: Buffer } | undefined {
  const end = bytes.indexOf('\n');
  try {
    const header = JSON.parse(bytes.subarray(0, end).toString()) as Header;
    const rows = bytes.subarray(end + 1);
    return header.v === 1 && header.sha256 === sha256Of(rows) ? { header, rows } : undefined;
  } catch {
    return undefined;
  }
}

function sha256Of(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
