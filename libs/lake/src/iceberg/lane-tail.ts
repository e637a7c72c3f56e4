import type { Stream } from '@millrace/contracts';
import { faultsOf, type ChainEnd } from '../chain.ts';
import { filesOf, parseEntry, type LedgerEntry } from '../entry.ts';
import { LakeError } from '../errors.ts';
import { entryKey, type LaneId } from '../keys.ts';
import type { CallOptions, ObjectStore } from '../object-store.ts';
import { landedBoundsOf } from './column-bounds.ts';
import type { SnapshotFile } from './table-files.ts';

/** The landed files of a lane after a position. */
export interface Tail {
  /** Offset before which every event of the lane had landed. */
  readonly to: number;
  readonly files: readonly SnapshotFile[];
}

interface KnownEntry {
  readonly entry: LedgerEntry;
  readonly files: readonly SnapshotFile[];
}

/**
 * Follows the landed entries of one lane after the position of a snapshot. The next entry has a known key and entries never change, so an
 * unchanged tail costs one GET.
 */
export class LaneTail {
  readonly #store: Pick<ObjectStore, 'get' | 'size'>;
  readonly #stream: Stream;
  readonly #lane: LaneId;
  readonly #entriesMax: number;
  readonly #known = new Map<number, KnownEntry>();

  /** @param entriesMax longest tail, in entries. Default 256 */
  constructor(store: Pick<ObjectStore, 'get' | 'size'>, stream: Stream, lane: LaneId, entriesMax = 256) {
    this.#store = store;
    this.#stream = stream;
    this.#lane = lane;
    this.#entriesMax = entriesMax;
  }

  /**
   * Reads the tail after a position. Undefined when it has more entries than allowed.
   *
   * @throws LakeError `bad-entry` when the ledger is not a chain, `file-lost` when a file of an older entry than the head is missing
   */
  async after(position: ChainEnd, options: CallOptions = {}): Promise<Tail | undefined> {
    for (const from of this.#known.keys()) if (from < position.to) this.#known.delete(from);
    const files: SnapshotFile[] = [];
    let end = position;
    for (let entries = 0; ; entries += 1) {
      const next = this.#known.get(end.to) ?? (await this.#read(end, options));
      if (next === undefined) return { to: end.to, files };
      if (entries >= this.#entriesMax) return undefined;
      files.push(...next.files);
      end = { to: next.entry.to, id: next.entry.id };
    }
  }

  /** The landed entry after `end`. */
  async #read(end: ChainEnd, options: CallOptions): Promise<KnownEntry | undefined> {
    const key = entryKey(this.#lane, end.to);
    const bytes = await this.#store.get(key, options);
    if (bytes === undefined) return undefined;
    const entry = parseEntry(key, bytes);
    const [fault] = faultsOf(entry, end);
    if (fault !== undefined) throw new LakeError('bad-entry', `${key} ${fault}; run ./millrace audit`, { key });
    const sizes = await this.#sizesOf(entry, options);
    const missing = filesOf(entry).find(({ key: file }) => sizes.get(file) === undefined);
    if (missing !== undefined) {
      // The head may still have to be published. An older entry may not: its successor was recorded after all its files.
      if ((await this.#store.get(entryKey(this.#lane, entry.to), options)) === undefined) return undefined;
      if ((await this.#store.size(missing.key, options)) !== undefined) return await this.#read(end, options);
      throw new LakeError('file-lost', `${missing.key} is missing, although its entry has landed; run ./millrace repair`, {
        key: missing.key,
      });
    }
    const files = entry.files.map((file): SnapshotFile => ({
      key: file.key,
      // A repair puts a smaller file in the place of a lost one.
      bytes: sizes.get(file.key)!,
      rows: file.rows,
      partition: file.dt,
      bounds: landedBoundsOf(this.#stream, file),
    }));
    const known = { entry, files };
    if (this.#known.size < this.#entriesMax) this.#known.set(entry.from, known);
    return known;
  }

  async #sizesOf(entry: LedgerEntry, options: CallOptions): Promise<ReadonlyMap<string, number>> {
    const sizes = new Map<string, number>();
    const files = filesOf(entry);
    for (let start = 0; start < files.length; start += 8) {
      await Promise.all(
        files.slice(start, start + 8).map(async ({ key }) => {
          const bytes = await this.#store.size(key, options);
          if (bytes !== undefined) sizes.set(key, bytes);
        }),
      );
    }
    return sizes;
  }
}
