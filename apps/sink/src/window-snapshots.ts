import { createHash } from 'node:crypto';
import { Ledger, type LaneId, type LedgerEntry, type ObjectStore } from '@millrace/lake';
import type { DedupWindow } from './dedup-window.ts';

/** Entries that land between two snapshots of a window, and so the most that a start has to read. */
export const entriesPerSnapshot = 25;

// A clean stop after fewer entries is not worth an object: the next start reads those instead.
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

/**
 * Snapshots of a lane's window at `_windows/<table>/<topic>/p=<partition>/`, so that a start reads one object and the entries since, and
 * not every small file of the last 131,072 offsets. A projection like every checkpoint: made of landed rows only, which stay as
 * they are for ever, so that it is good for whoever finds it; it can be deleted at any time.
 */
export class WindowSnapshots {
  readonly #store: ObjectStore;
  readonly #lane: LaneId;
  readonly #every: number;
  #since = 0;
  #newest: string | undefined;
  #working: Promise<void> | undefined;

  constructor(store: ObjectStore, lane: LaneId, every = entriesPerSnapshot) {
    this.#store = store;
    this.#lane = lane;
    this.#every = every;
  }

  /** Fills the window from the newest snapshot, where there is one that a start at `landedTo` can use. A few calls, whatever it finds. */
  async load(window: DedupWindow, landedTo: number, signal: AbortSignal): Promise<void> {
    if (window.offsets === 0 || landedTo === 0 || window.covers(landedTo)) return;
    const [key] = await this.#store.list(this.#prefix, { signal, limit: 1 });
    const bytes = key === undefined ? undefined : await this.#store.get(key, { signal });
    const snapshot = bytes === undefined ? undefined : parseSnapshot(Buffer.from(bytes));
    if (snapshot === undefined) return;
    const { id, from, to } = snapshot.header;
    const least = Math.max(0, landedTo - window.offsets);
    if (from > least || to > landedTo || to <= Math.max(window.knownTo, least)) return;
    // Taken from this very ledger: another one may have had the bucket before.
    const entry = await new Ledger(this.#store, this.#lane).entryHolding(to - 1, { signal });
    if (entry?.id !== id || entry.to !== to) return;
    window.forgetAll(least);
    window.addBytes(snapshot.rows, from, least);
    window.passed(to);
    this.#newest = key;
  }

  /** An entry has landed. Never throws: without a snapshot the next start reads more files. */
  landed(window: DedupWindow, entry: LedgerEntry, signal: AbortSignal): void {
    this.#since += 1;
    if (this.#since >= this.#every) this.#working ??= this.#save(window, entry, signal).finally(() => (this.#working = undefined));
  }

  /** The lane stops cleanly: whoever goes on finds everything at hand. Never throws. */
  async stopped(window: DedupWindow, head: LedgerEntry | undefined, signal: AbortSignal): Promise<void> {
    await this.#working;
    if (head !== undefined && this.#since >= entriesWorthKeeping) await this.#save(window, head, signal);
  }

  async #save(window: DedupWindow, { id, to }: LedgerEntry, signal: AbortSignal): Promise<void> {
    // Far ahead of what has landed, the window has forgotten the beginning of it: another time.
    if (!window.covers(to)) return;
    const from = Math.max(0, to - window.offsets);
    const rows = window.bytes(from, to);
    const header: Header = { v: 1, id, from, to, sha256: sha256Of(rows) };
    const key = `${this.#prefix}${(BigInt(Number.MAX_SAFE_INTEGER) - BigInt(to)).toString().padStart(16, '0')}-${to}`;
    try {
      await this.#store.put(key, Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), rows]), { signal });
      this.#since = 0;
      const before = this.#newest;
      this.#newest = key;
      if (before !== undefined && before !== key) await this.#store.delete(before, { signal });
    } catch {
      // Tried again after the next landing.
    }
  }

  get #prefix(): string {
    const { table, topic, partition } = this.#lane;
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
