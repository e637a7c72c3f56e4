import { fromOfEntryKey, ledgerPrefix, LakeError, parseEntry, type LaneId, type LedgerEntry, type ObjectStore } from '@millrace/lake';
import type { EncodedBatch } from '../spool/batch.ts';
import type { DedupWindow } from './dedup-window.ts';
import type { RowId, SegmentEncoder } from '../spool/segment-encoder.ts';

/** Where a window is read from. */
export interface WindowSource {
  readonly store: ObjectStore;
  readonly lane: LaneId;
  readonly encoder: SegmentEncoder;
}

// Entries and files that are read concurrently.
const readsAtOnce = 8;

/**
 * Fills a window with the rows of the landed files that reach into it and that it does not know yet, newest entry first. The number of
 * calls depends on the window and on the size of the batches in it, not on the length of the ledger.
 *
 * A missing file adds no rows, so its events do not count as duplicates. The audit reports the loss.
 *
 * @param to the end of what has landed
 * @returns how many entries were read
 */
export async function fillWindow(window: DedupWindow, to: number, source: WindowSource, signal: AbortSignal): Promise<number> {
  if (window.offsets === 0 || to === 0) return 0;
  const from = Math.max(window.knownTo, to - window.offsets);
  if (from >= to) return 0;
  window.startAt(from);
  const keys = await keysBackTo(from, source, signal);
  for (let start = 0; start < keys.length; start += readsAtOnce) {
    const entries = await Promise.all(keys.slice(start, start + readsAtOnce).map(async (key) => await readEntry(key, source, signal)));
    const files = entries.flatMap((entry) => entry.files.map(({ key }) => key));
    for (let first = 0; first < files.length; first += readsAtOnce) {
      const found = await Promise.all(
        files.slice(first, first + readsAtOnce).map(async (key) => await readRows(key, from, source, signal)),
      );
      // Add rows only after all reads succeed. If one fails, the window is restarted, and late results of the others must not reach it.
      for (const rows of found) addRows(window, rows);
    }
  }
  window.passed(to);
  return keys.length;
}

/** Adds the rows of a batch that waits on disk, whose decisions build on the window before it. */
export async function fillFromSpool(window: DedupWindow, { entry, bodies, files }: EncodedBatch, encoder: SegmentEncoder): Promise<void> {
  if (window.offsets === 0) return;
  const rejects = entry.rejects?.staged;
  for (const { file, staged } of bodies)
    if (staged !== rejects) addRows(window, await encoder.rowIds(await files.read(file), entry.to - window.offsets));
  window.passed(entry.to);
}

async function readRows(key: string, from: number, { store, encoder }: WindowSource, signal: AbortSignal): Promise<readonly RowId[]> {
  const bytes = await store.get(key, { signal });
  return bytes === undefined || bytes.byteLength === 0 ? [] : await encoder.rowIds(bytes, from);
}

function addRows(window: DedupWindow, rows: readonly RowId[]): void {
  for (const { offset, eventId } of rows) window.add(eventId, offset);
}

async function keysBackTo(from: number, { store, lane }: WindowSource, signal: AbortSignal): Promise<string[]> {
  const keys: string[] = [];
  for (;;) {
    const last = keys.at(-1);
    const page = await store.list(ledgerPrefix(lane), last === undefined ? { signal } : { signal, startAfter: last });
    for (const key of page) {
      keys.push(key);
      if ((fromOfEntryKey(key) ?? 0) <= from) return keys;
    }
    if (page.length < 1000) return keys;
  }
}

async function readEntry(key: string, { store }: WindowSource, signal: AbortSignal): Promise<LedgerEntry> {
  const bytes = await store.get(key, { signal });
  if (bytes === undefined) throw new LakeError('bad-entry', `${key} is listed but not there`, { key });
  return parseEntry(key, bytes);
}
