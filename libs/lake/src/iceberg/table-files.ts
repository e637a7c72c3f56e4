import type { Stream } from '@millrace/contracts';
import { LakeError } from '../errors.ts';
import { mapParallel } from '../map-parallel.ts';
import type { CallOptions, ObjectStore } from '../object-store.ts';
import { CommitLog, type Position, type ProjectionCommit } from './commit-log.ts';
import { columnBoundsOf, type ColumnBounds } from './column-bounds.ts';
import { entryStatus, readManifest, readManifestList, type ManifestFile } from './manifest.ts';
import { commitOfMetadataKey } from './projection-keys.ts';
import { currentSnapshot, parseMetadata } from './table-metadata.ts';

/** A file of the table at one snapshot. */
export interface SnapshotFile {
  readonly key: string;
  readonly bytes: number;
  readonly rows: number;
  /** Value of the partition key. */
  readonly partition: string;
  /** Smallest and largest values, by column. A column without an entry may hold any value. */
  readonly bounds: ColumnBounds;
}

/** One snapshot of the table. It never changes. */
export interface TableSnapshot {
  /** Iceberg's id of the snapshot. */
  readonly id: number;
  readonly commit: ProjectionCommit;
  readonly position: Position;
  readonly manifests: readonly ManifestFile[];
}

/** Parts of {@link TableFiles}. */
export interface TableFilesParts {
  readonly store: Pick<ObjectStore, 'get' | 'list'>;
  readonly bucket: string;
  readonly stream: Stream;
  /** Files of the manifests that are kept in memory, at most. Default 100,000: about 40 MB. */
  readonly filesKeptMax?: number;
}

/** Snapshots that are kept: the newest one, the one of the catalog, and those of the moment before. */
const snapshotsKept = 4;
/** Manifests that one call reads at once. */
const readsAtOnce = 8;

/**
 * Reads the projection's snapshots and their files for a reader of the lake. Objects of a snapshot are immutable, so they are kept: an
 * unchanged table costs one LIST of one key.
 */
export class TableFiles {
  readonly #parts: TableFilesParts;
  readonly #log: CommitLog;
  readonly #snapshots = new Map<string, TableSnapshot>();
  readonly #manifests = new Map<string, readonly SnapshotFile[]>();
  #newest: ProjectionCommit | undefined;
  #filesKept = 0;

  constructor(parts: TableFilesParts) {
    this.#parts = parts;
    // Only commits are read here.
    this.#log = new CommitLog(parts.store as ObjectStore, parts.stream.table);
  }

  /**
   * The snapshot of the newest commit. Undefined before the first one.
   *
   * @throws LakeError `bad-entry` when an object of the snapshot is missing or cannot be read
   */
  async newest(options: CallOptions = {}): Promise<TableSnapshot | undefined> {
    const commit = await this.#log.head(this.#newest, options);
    this.#newest = commit;
    return commit === undefined ? undefined : await this.#snapshotOf(commit, options);
  }

  /**
   * The snapshot whose metadata is at a location, as a catalog names it. Undefined when no commit names it: another writer made it.
   *
   * @param location `s3://…` of a metadata file
   * @throws LakeError `bad-entry` when an object of the snapshot is missing or cannot be read
   */
  async at(location: string, options: CallOptions = {}): Promise<TableSnapshot | undefined> {
    const prefix = this.#uri('');
    const key = location.startsWith(prefix) ? location.slice(prefix.length) : '';
    const known = this.#snapshots.get(key);
    if (known !== undefined) return known;
    const n = commitOfMetadataKey(this.#parts.stream.table, key);
    const commit = n === undefined ? undefined : await this.#log.get(n, options);
    return commit?.metadata === key ? await this.#snapshotOf(commit, options) : undefined;
  }

  /**
   * The files of a snapshot in some partitions. Manifests that hold none of these partitions are not read.
   *
   * @param partitions values of the partition key
   * @throws LakeError `bad-entry` when a manifest is missing or cannot be read
   */
  async filesOf(
    { manifests }: Pick<TableSnapshot, 'manifests'>,
    partitions: ReadonlySet<string>,
    options: CallOptions = {},
  ): Promise<SnapshotFile[]> {
    const wanted = manifests.filter((manifest) => mayHold(manifest, partitions));
    return (await this.#filesInAll(wanted, options)).flatMap((files) => files.filter(({ partition }) => partitions.has(partition)));
  }

  /**
   * The files of a snapshot in the partitions that a filter lets pass, whether or not a catalog knows these partitions.
   *
   * @throws LakeError `bad-entry` when a manifest is missing or cannot be read
   */
  async filesIn(
    { manifests }: Pick<TableSnapshot, 'manifests'>,
    filter: (partition: string) => boolean,
    options: CallOptions = {},
  ): Promise<SnapshotFile[]> {
    return (await this.#filesInAll(manifests, options)).flatMap((files) => files.filter(({ partition }) => filter(partition)));
  }

  async #filesInAll(manifests: readonly ManifestFile[], options: CallOptions): Promise<(readonly SnapshotFile[])[]> {
    return await mapParallel(manifests, readsAtOnce, async (manifest) => await this.#filesIn(manifest, options));
  }

  async #snapshotOf(commit: ProjectionCommit, options: CallOptions): Promise<TableSnapshot> {
    const known = this.#snapshots.get(commit.metadata);
    if (known !== undefined) return known;
    const current = currentSnapshot(parseMetadata(commit.metadata, await this.#read(commit.metadata, options)));
    if (current === undefined) throw new LakeError('bad-entry', `${commit.metadata} has no current snapshot`, { key: commit.metadata });
    const list = this.#keyOf(current['manifest-list']);
    const manifests = await decoded(list, async () => await readManifestList(await this.#read(list, options)));
    const snapshot = { id: current['snapshot-id'], commit, position: commit.position, manifests };
    this.#snapshots.set(commit.metadata, snapshot);
    for (const oldest of this.#snapshots.keys()) {
      if (this.#snapshots.size <= snapshotsKept) break;
      this.#snapshots.delete(oldest);
    }
    return snapshot;
  }

  async #filesIn({ manifest_path: path }: ManifestFile, options: CallOptions): Promise<readonly SnapshotFile[]> {
    const known = this.#manifests.get(path);
    if (known !== undefined) {
      // The least recently used manifest goes first.
      this.#manifests.delete(path);
      this.#manifests.set(path, known);
      return known;
    }
    const { stream, filesKeptMax = 100_000 } = this.#parts;
    const key = this.#keyOf(path);
    const entries = await decoded(key, async () => await readManifest(await this.#read(key, options)));
    const files = entries
      .filter(({ status }) => status !== entryStatus.deleted)
      .map(({ data_file: file }): SnapshotFile => ({
        key: this.#keyOf(file.file_path),
        bytes: file.file_size_in_bytes,
        rows: file.record_count,
        partition: file.partition[stream.partitionKey]!,
        bounds: columnBoundsOf(stream, file),
      }));
    if (!this.#manifests.has(path)) this.#filesKept += files.length;
    this.#manifests.set(path, files);
    for (const [oldest, kept] of this.#manifests) {
      if (this.#filesKept <= filesKeptMax) break;
      this.#manifests.delete(oldest);
      this.#filesKept -= kept.length;
    }
    return files;
  }

  async #read(key: string, options: CallOptions): Promise<Uint8Array> {
    const bytes = await this.#parts.store.get(key, options);
    if (bytes === undefined) throw new LakeError('bad-entry', `${key} is missing, although a snapshot of the table needs it`, { key });
    return bytes;
  }

  #uri(key: string): string {
    return `s3://${this.#parts.bucket}/${key}`;
  }

  #keyOf(uri: string): string {
    const prefix = this.#uri('');
    if (!uri.startsWith(prefix)) throw new LakeError('bad-entry', `${uri} is not in the bucket ${this.#parts.bucket}`);
    return uri.slice(prefix.length);
  }
}

/** Whether a manifest may hold a file of these partitions, by the range of its partition values. */
function mayHold({ partitions: [range] }: ManifestFile, wanted: ReadonlySet<string>): boolean {
  if (range?.lower_bound == null || range.upper_bound === null) return true;
  const [lower, upper] = [range.lower_bound.toString(), range.upper_bound.toString()];
  for (const partition of wanted) if (partition >= lower && partition <= upper) return true;
  return false;
}

/** Reports bytes that are not an Avro file as an object that cannot be read. */
async function decoded<T>(key: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof LakeError || !(error instanceof Error) || error.name === 'AbortError') throw error;
    throw new LakeError('bad-entry', `${key} cannot be read: ${error.message}`, { key, cause: error });
  }
}
