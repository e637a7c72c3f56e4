import { filesOf, type LedgerEntry } from './entry.ts';
import { isLakeError, LakeError } from './errors.ts';
import type { CallOptions, ObjectStore } from './object-store.ts';

/**
 * Makes every file of a recorded entry visible. Any process may call it at any time and repeatedly, because each copy has the same bytes.
 * It returns once every file exists.
 *
 * @throws LakeError `file-lost` when a file is neither staged nor published
 */
export async function publish(store: ObjectStore, entry: LedgerEntry, options: CallOptions = {}): Promise<void> {
  // Eight at a time: an entry has a file for each of its days, and a batch of late events may have hundreds of days.
  const files = filesOf(entry);
  for (let start = 0; start < files.length; start += 8) {
    await Promise.all(files.slice(start, start + 8).map(async (file) => await publishFile(store, file, options)));
  }
}

/** Tells whether every file of the entry is visible. */
export async function isLanded(store: ObjectStore, entry: LedgerEntry, options: CallOptions = {}): Promise<boolean> {
  for (const file of filesOf(entry)) {
    if ((await store.size(file.key, options)) === undefined) return false;
  }
  return true;
}

/**
 * Deletes the staged files of an entry. Call it only after the successor is recorded: until then any sink may have to publish the entry.
 */
export async function unstage(store: ObjectStore, entry: LedgerEntry, options: CallOptions = {}): Promise<void> {
  for (const file of filesOf(entry)) await store.delete(file.staged, options);
}

async function publishFile(store: ObjectStore, file: { key: string; staged: string }, options: CallOptions): Promise<void> {
  if ((await store.size(file.key, options)) !== undefined) return;
  try {
    await store.copy(file.staged, file.key, options);
  } catch (error) {
    if (!isLakeError(error, 'no-such-key')) throw error;
    // Another sink may have published it and recorded the successor between our check and our copy.
    if ((await store.size(file.key, options)) !== undefined) return;
    throw new LakeError('file-lost', `${file.key} is neither staged nor published; run ./millrace repair`, { key: file.key, cause: error });
  }
}
