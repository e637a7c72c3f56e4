import { faultsOf, type ChainEnd } from '../chain.ts';
import { filesOf, parseEntry, type LandedFile, type LedgerEntry } from '../entry.ts';
import { LakeError } from '../errors.ts';
import { entryKey, type LaneId } from '../keys.ts';
import type { CallOptions, ObjectStore } from '../object-store.ts';

/** A file that an entry names, as it is in the store. */
export interface FoundFile {
  /** Kafka partition of the lane. */
  readonly partition: number;
  readonly entry: LedgerEntry;
  readonly file: LandedFile;
  /** Size of the object in bytes. */
  readonly bytes: number;
  /** Rows in the object: fewer than the entry's only after a repair, which puts an empty file in the place of a lost one. */
  readonly rows: number;
}

/** Entries that follow a position, and their files. */
export interface LandedPart {
  readonly end: ChainEnd;
  readonly files: readonly FoundFile[];
  /** Rows that the entries name and the files do not hold. */
  readonly lostRows: number;
}

/** Sizes are asked for eight at a time. */
const sizesAtOnce = 8;

/**
 * Reads the landed entries of a lane that follow `end`, until the files are at least `filesMax` or the ledger ends. The entry after `end` is
 * at a known key, so no LIST is needed. The head counts only if all its files exist: a sink may still have to publish it.
 *
 * @param rowsOf reads the number of rows of a file whose size is not the entry's
 * @throws LakeError `bad-entry` when the ledger is not a chain, `file-lost` when a file of an older entry than the head is missing
 */
export async function readLanded(
  store: ObjectStore,
  lane: LaneId,
  end: ChainEnd,
  { filesMax, rowsOf, ...options }: CallOptions & { filesMax: number; rowsOf: (key: string, bytes: number) => Promise<number> },
): Promise<LandedPart> {
  const files: FoundFile[] = [];
  let lostRows = 0;
  let entry = await entryAfter(store, lane, end, options);
  while (entry !== undefined && files.length < filesMax) {
    const sizes = await sizesOf(store, entry, options);
    const next = await entryAfter(store, lane, { to: entry.to, id: entry.id }, options);
    const missing = filesOf(entry).find(({ key }) => sizes.get(key) === undefined);
    if (missing !== undefined) {
      if (next === undefined) break;
      // The successor was recorded only after every file existed. Sizes were read before it, so read again.
      if ((await store.size(missing.key, options)) !== undefined) continue;
      throw new LakeError('file-lost', `${missing.key} is missing, although its entry has landed; run ./millrace repair`, {
        key: missing.key,
      });
    }
    for (const file of entry.files) {
      const bytes = sizes.get(file.key)!;
      const rows = bytes === file.bytes ? file.rows : await rowsOf(file.key, bytes);
      lostRows += file.rows - rows;
      if (rows > 0) files.push({ partition: lane.partition, entry, file, bytes, rows });
    }
    end = { to: entry.to, id: entry.id };
    entry = next;
  }
  return { end, files, lostRows };
}

async function entryAfter(store: ObjectStore, lane: LaneId, end: ChainEnd, options: CallOptions): Promise<LedgerEntry | undefined> {
  const key = entryKey(lane, end.to);
  const bytes = await store.get(key, options);
  if (bytes === undefined) return undefined;
  const entry = parseEntry(key, bytes);
  const [fault] = faultsOf(entry, end);
  if (fault !== undefined) throw new LakeError('bad-entry', `${key} ${fault}; run ./millrace audit`, { key });
  return entry;
}

async function sizesOf(store: ObjectStore, entry: LedgerEntry, options: CallOptions): Promise<ReadonlyMap<string, number>> {
  const sizes = new Map<string, number>();
  const files = filesOf(entry);
  for (let start = 0; start < files.length; start += sizesAtOnce) {
    await Promise.all(
      files.slice(start, start + sizesAtOnce).map(async ({ key }) => {
        const bytes = await store.size(key, options);
        if (bytes !== undefined) sizes.set(key, bytes);
      }),
    );
  }
  return sizes;
}
