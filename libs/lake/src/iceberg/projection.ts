import type { Stream } from '@millrace/contracts';
import { chainStart } from '../chain.ts';
import { isLakeError, LakeError } from '../errors.ts';
import { tableLedgerPrefix, type LaneId } from '../keys.ts';
import type { CallOptions, ObjectStore } from '../object-store.ts';
import { CommitLog, type Position, type ProjectionCommit } from './commit-log.ts';
import { dataFileOf } from './data-file.ts';
import type { PointerCatalog } from './iceberg-catalog.ts';
import {
  entryStatus,
  manifestBytes,
  manifestFileOf,
  manifestListBytes,
  readManifest,
  readManifestList,
  type ManifestEntry,
  type ManifestFile,
  type WritingSnapshot,
} from './manifest.ts';
import { manifestsToMerge, mergedEntries } from './merge-manifests.ts';
import {
  commitOfMetadataKey,
  manifestKey,
  manifestListKey,
  metadataKey,
  metadataName,
  projectionPrefix,
  versionHintKey,
} from './projection-keys.ts';
import { readLanded, type FoundFile } from './read-landed.ts';
import {
  currentSchema,
  currentSnapshot,
  emptyMetadata,
  parseMetadata,
  withColumnsOf,
  withSnapshot,
  type TableMetadata,
} from './table-metadata.ts';

/** Parts of a projection. */
export interface ProjectionParts {
  readonly store: ObjectStore;
  readonly bucket: string;
  readonly stream: Stream;
  readonly catalog: PointerCatalog;
  /** Name of this process in its commits. */
  readonly writer: string;
  /** Files of one lane that one commit adds, about; an entry is never divided. Default 500. */
  readonly filesPerLaneMax?: number;
  readonly now: () => number;
  /** Makes a random UUID. */
  readonly newId: () => string;
  /** Reads the number of rows of a file from its footer. */
  readonly rowsOf: (key: string, bytes: number) => Promise<number>;
  /** Receives failures to move the pointer of the catalog. The commit itself is not affected; the next round repairs the pointer. */
  readonly onPointerFailure: (error: unknown) => void;
}

/** Result of one round. */
export interface Round {
  /** `committed`: a commit is ours. `lost`: another projector made the next commit first. `idle`: nothing had landed. */
  readonly outcome: 'committed' | 'lost' | 'idle';
  readonly files: number;
  readonly rows: number;
  /** Whether the limit of files was reached, so that more may have landed. */
  readonly more: boolean;
}

/** The table as the newest known commit describes it. */
interface Tip {
  readonly commit: ProjectionCommit;
  readonly metadata: TableMetadata;
  readonly manifests: readonly ManifestFile[];
}

/**
 * The Iceberg table over the landed files of one stream. Any number of processes may run rounds at the same
 * time: put-if-absent of the next commit decides. Each commit holds the position up to which it folded the ledger. So every landed file is
 * in the table once.
 */
export class Projection {
  readonly #parts: ProjectionParts;
  readonly #log: CommitLog;
  #tip: Tip | undefined;

  constructor(parts: ProjectionParts) {
    this.#parts = parts;
    this.#log = new CommitLog(parts.store, parts.stream.table);
  }

  /** The newest commit that this process has seen. */
  get head(): ProjectionCommit | undefined {
    return this.#tip?.commit;
  }

  /**
   * Folds the entries that landed after the newest commit into one more commit, and lets the pointer of the catalog follow.
   *
   * @throws LakeError `foreign-commit` when the catalog names metadata that no commit names; nothing is committed then
   */
  async round(options: CallOptions = {}): Promise<Round> {
    const tip = await this.#readTip(options);
    this.#tip = tip;
    const pointer = await this.#followPointer(tip, options);
    const { files, position, lostRows, more } = await this.#readLanes(tip, options);
    if (position === undefined) return { outcome: 'idle', files: 0, rows: 0, more: false };
    const next = await this.#write(tip, files, position, lostRows, options);
    const rows = files.reduce((sum, file) => sum + file.rows, 0);
    if (!(await this.#log.commit(next.commit, options))) return { outcome: 'lost', files: 0, rows: 0, more: true };
    this.#tip = next;
    if (pointer !== undefined) await this.#announce(pointer, next.commit, options);
    return { outcome: 'committed', files: files.length, rows, more };
  }

  async #lanes(options: CallOptions = {}): Promise<LaneId[]> {
    const { store, stream } = this.#parts;
    const prefix = `${tableLedgerPrefix(stream.table)}${stream.topic.name}/`;
    const folders = await store.listFolders(prefix, options);
    const partitions = folders.flatMap((folder) => /^p=(\d+)\/$/.exec(folder)?.[1] ?? []).map(Number);
    return partitions.toSorted((a, b) => a - b).map((partition) => ({ table: stream.table, topic: stream.topic.name, partition }));
  }

  async #readTip(options: CallOptions): Promise<Tip | undefined> {
    const { stream } = this.#parts;
    const commit = await this.#log.head(this.#tip?.commit, options);
    if (commit === undefined || commit.id === this.#tip?.commit.id) return this.#tip;
    if (commit.topic !== stream.topic.name) {
      throw new LakeError(
        'invalid',
        `the Iceberg table of ${stream.table} follows the topic ${commit.topic}, not ${stream.topic.name}; project the topic into another table`,
      );
    }
    const metadata = parseMetadata(commit.metadata, await this.#read(commit.metadata, options));
    const list = currentSnapshot(metadata)!['manifest-list'];
    const manifests = await readManifestList(await this.#read(this.#keyOf(list), options));
    return { commit, metadata, manifests };
  }

  async #readLanes(
    tip: Tip | undefined,
    options: CallOptions,
  ): Promise<{ files: FoundFile[]; position: Position | undefined; lostRows: number; more: boolean }> {
    const { store, filesPerLaneMax = 500, rowsOf } = this.#parts;
    const before: Position = tip?.commit.position ?? {};
    const lanes = await this.#lanes(options);
    const parts = await Promise.all(
      lanes.map(async (lane) => ({
        lane,
        part: await readLanded(store, lane, before[lane.partition] ?? chainStart, { ...options, filesMax: filesPerLaneMax, rowsOf }),
      })),
    );
    const position: Position = { ...before };
    let moved = false;
    for (const { lane, part } of parts) {
      if (part.end.id === null || part.end.id === before[lane.partition]?.id) continue;
      position[lane.partition] = { to: part.end.to, id: part.end.id };
      moved = true;
    }
    return {
      files: parts.flatMap(({ part }) => part.files),
      position: moved ? position : undefined,
      lostRows: parts.reduce((sum, { part }) => sum + part.lostRows, 0),
      more: parts.some(({ part }) => part.files.length >= filesPerLaneMax),
    };
  }

  /** Writes every object of the next commit but the commit itself. Each has a new key, so no other attempt can change it. */
  async #write(
    tip: Tip | undefined,
    files: readonly FoundFile[],
    position: Position,
    lostRows: number,
    options: CallOptions,
  ): Promise<Tip> {
    const { store, stream, now, newId, writer } = this.#parts;
    const { table } = stream;
    const id = newId();
    const n = (tip?.commit.n ?? 0) + 1;
    const base = withColumnsOf(stream, tip?.metadata ?? emptyMetadata(stream, this.#uri(projectionPrefix(table).slice(0, -1)), newId()));
    const snapshot: WritingSnapshot = { id: snapshotIdOf(id), sequenceNumber: base['last-sequence-number'] + 1 };

    const manifests = await this.#withMerged(tip?.manifests ?? [], id, snapshot, base, options);
    if (files.length > 0) {
      const added = files.map((found): ManifestEntry => ({
        status: entryStatus.added,
        snapshot_id: snapshot.id,
        sequence_number: null,
        file_sequence_number: null,
        data_file: this.#dataFile(found),
      }));
      manifests.push(await this.#putManifest(manifestKey(table, id, 0), added, snapshot, base, options));
    }
    const parent = currentSnapshot(base);
    const listKey = manifestListKey(table, id);
    await store.put(listKey, await manifestListBytes(manifests, snapshot, parent?.['snapshot-id']), options);

    // Iceberg wants times that do not go back, but the clocks of two projectors differ.
    const atMs = Math.max(now(), base['last-updated-ms']);
    const totals = {
      files: (tip?.commit.files ?? 0) + files.length,
      rows: (tip?.commit.rows ?? 0) + files.reduce((sum, { rows }) => sum + rows, 0),
      lostRows: (tip?.commit.lostRows ?? 0) + lostRows,
    };
    const metadata = withSnapshot(
      base,
      {
        'snapshot-id': snapshot.id,
        ...(parent === undefined ? {} : { 'parent-snapshot-id': parent['snapshot-id'] }),
        'sequence-number': snapshot.sequenceNumber,
        'timestamp-ms': atMs,
        'manifest-list': this.#uri(listKey),
        summary: {
          operation: 'append',
          'added-data-files': String(files.length),
          'added-records': String(totals.rows - (tip?.commit.rows ?? 0)),
          'added-files-size': String(files.reduce((sum, { bytes }) => sum + bytes, 0)),
          'total-data-files': String(totals.files),
          'total-records': String(totals.rows),
          'millrace.topic': stream.topic.name,
          'millrace.position': JSON.stringify(Object.fromEntries(Object.entries(position).map(([partition, { to }]) => [partition, to]))),
        },
        'schema-id': base['current-schema-id'],
      },
      tip === undefined ? undefined : this.#uri(tip.commit.metadata),
    );
    const key = metadataKey(table, n, id);
    await store.put(key, Buffer.from(JSON.stringify(metadata)), { ...options, contentType: 'application/json' });
    const commit: ProjectionCommit = {
      v: 1,
      n,
      id,
      prev: tip?.commit.id ?? null,
      topic: stream.topic.name,
      metadata: key,
      position,
      ...totals,
      atMs,
      writer,
    };
    return { commit, metadata, manifests };
  }

  async #withMerged(
    manifests: readonly ManifestFile[],
    id: string,
    snapshot: WritingSnapshot,
    metadata: TableMetadata,
    options: CallOptions,
  ): Promise<ManifestFile[]> {
    const merging = manifestsToMerge(manifests);
    if (merging.length === 0) return [...manifests];
    const parts = await Promise.all(
      merging.map(async (manifest) => ({
        manifest,
        entries: await readManifest(await this.#read(this.#keyOf(manifest.manifest_path), options)),
      })),
    );
    const merged = await this.#putManifest(manifestKey(this.#parts.stream.table, id, 1), mergedEntries(parts), snapshot, metadata, options);
    return [...manifests.filter((manifest) => !merging.includes(manifest)), merged];
  }

  async #putManifest(
    key: string,
    entries: readonly ManifestEntry[],
    snapshot: WritingSnapshot,
    metadata: TableMetadata,
    options: CallOptions,
  ): Promise<ManifestFile> {
    const bytes = await manifestBytes(currentSchema(metadata), metadata['partition-specs'][0]!, entries);
    await this.#parts.store.put(key, bytes, options);
    return manifestFileOf(this.#uri(key), bytes.byteLength, entries, snapshot);
  }

  #dataFile({ partition, entry, file, bytes, rows }: FoundFile): ReturnType<typeof dataFileOf> {
    const range = { partition, from: entry.from, to: entry.to };
    return dataFileOf(this.#parts.stream, { uri: this.#uri(file.key), rows, bytes, file, range });
  }

  async #read(key: string, options: CallOptions): Promise<Uint8Array> {
    const bytes = await this.#parts.store.get(key, options);
    if (bytes === undefined) throw new LakeError('bad-entry', `${key} is missing, although a commit of the projection needs it`, { key });
    return bytes;
  }

  /**
   * Compares the pointer of the catalog with the newest commit, and moves it forward where a crash or a failure left it behind. Undefined when
   * the catalog did not answer: the commit does not depend on it, and a later round moves the pointer.
   */
  async #followPointer(
    tip: Tip | undefined,
    options: CallOptions,
  ): Promise<{ readonly pointer: Awaited<ReturnType<PointerCatalog['read']>> } | undefined> {
    const { catalog, onPointerFailure } = this.#parts;
    try {
      const pointer = await catalog.read(options);
      if (pointer === undefined) {
        if (tip === undefined) return { pointer };
        await catalog.move(undefined, this.#uri(tip.commit.metadata), options);
        return { pointer: await catalog.read(options) };
      }
      if (tip !== undefined && pointer.location === this.#uri(tip.commit.metadata)) return { pointer };
      const pointed = await this.#commitAt(pointer.location, options);
      if (pointed === undefined) throw this.#foreign(pointer.location);
      // A commit newer than ours: this process has not seen it yet, and its next commit will be refused.
      if (tip === undefined || pointed.n >= tip.commit.n) return undefined;
      await catalog.move(pointer, this.#uri(tip.commit.metadata), options);
      return { pointer: await catalog.read(options) };
    } catch (error) {
      options.signal?.throwIfAborted();
      if (isLakeError(error, 'foreign-commit')) throw error;
      onPointerFailure(error);
      return undefined;
    }
  }

  async #announce(
    { pointer }: { readonly pointer: Awaited<ReturnType<PointerCatalog['read']>> },
    commit: ProjectionCommit,
    options: CallOptions,
  ): Promise<void> {
    const { catalog, store, stream, onPointerFailure } = this.#parts;
    try {
      // The version that was read before the commit: a foreign writer that moved the pointer since then is not overwritten.
      await catalog.move(pointer, this.#uri(commit.metadata), options);
      await store.put(versionHintKey(stream.table), Buffer.from(metadataName(commit.n, commit.id)), {
        ...options,
        contentType: 'text/plain',
      });
    } catch (error) {
      options.signal?.throwIfAborted();
      onPointerFailure(error);
    }
  }

  /** The commit that names the metadata at a location. Undefined when none does. */
  async #commitAt(location: string | undefined, options: CallOptions): Promise<ProjectionCommit | undefined> {
    const prefix = this.#uri('');
    if (location === undefined || !location.startsWith(prefix)) return undefined;
    const key = location.slice(prefix.length);
    const n = commitOfMetadataKey(this.#parts.stream.table, key);
    if (n === undefined) return undefined;
    const commit = await this.#log.get(n, options);
    return commit?.metadata === key ? commit : undefined;
  }

  #foreign(location: string | undefined): LakeError {
    const { stream } = this.#parts;
    return new LakeError(
      'foreign-commit',
      `the catalog's table ${stream.table}_iceberg points to ${location ?? 'no Iceberg metadata'}, which no commit of the projector names: ` +
        'another writer changed the table. The projector commits nothing; drop the table from the catalog, and the projector registers its own state again',
    );
  }

  #uri(key: string): string {
    return `s3://${this.#parts.bucket}/${key}`;
  }

  #keyOf(uri: string): string {
    return uri.slice(this.#uri('').length);
  }
}

/** A snapshot id from the first 52 bits of a UUID: JavaScript and JSON carry it without loss. */
function snapshotIdOf(uuid: string): number {
  return Number.parseInt(uuid.replaceAll('-', '').slice(0, 13), 16);
}
