import type { Stream } from '@millrace/contracts';
import type { CallOptions, ObjectStore } from '../object-store.ts';
import type { Position, ProjectionCommit } from './commit-log.ts';
import type { DataFile } from './data-file.ts';
import {
  entryStatus,
  manifestBytes,
  manifestFileOf,
  manifestListBytes,
  readManifest,
  type ManifestEntry,
  type ManifestFile,
  type WritingSnapshot,
} from './manifest.ts';
import { manifestsToMerge, mergedEntries } from './merge-manifests.ts';
import { manifestKey, manifestListKey, metadataKey, projectionPrefix } from './projection-keys.ts';
import {
  currentSchema,
  currentSnapshot,
  emptyMetadata,
  withColumnsOf,
  withoutExpired,
  withSnapshot,
  type Retention,
  type TableMetadata,
} from './table-metadata.ts';
import { BucketUris, readNeeded, type Tip } from './tip.ts';

/** Files that leave the table, and the manifests that hold them. */
export interface Removal {
  readonly uris: ReadonlySet<string>;
  readonly manifests: ReadonlySet<string>;
}

/** A commit to make: the files that it adds to the previous table and removes from it. */
export interface Change {
  /**
   * - `append` adds landed files.
   * - `replace` puts a file with the same rows in the place of others.
   * - `rebuild` puts the added files in the place of every file.
   * - `expire` only drops old snapshots.
   */
  readonly operation: 'append' | 'replace' | 'rebuild' | 'expire';
  readonly added: readonly DataFile[];
  readonly removed?: Removal;
  /** The position after the commit. Default: the one before it. */
  readonly position?: Position;
  /** Rows that the ledger names and the added files do not hold. Default 0. */
  readonly lostRows?: number;
}

/** Parts of a writer of commits. */
export interface CommitParts {
  readonly store: ObjectStore;
  readonly bucket: string;
  readonly stream: Stream;
  /** Name of this process in its commits. */
  readonly writer: string;
  readonly retention: Retention;
  readonly now: () => number;
  /** Makes a random UUID. */
  readonly newId: () => string;
}

/** Entries of one rewritten manifest, about 1 MB. */
const entriesPerManifestMax = 8192;

/** Writes every object of the next commit but the commit itself. Each has a new key, so no other attempt can change it. */
export async function writeCommit(parts: CommitParts, tip: Tip | undefined, change: Change, options: CallOptions): Promise<Tip> {
  const { stream, now, newId } = parts;
  const id = newId();
  const n = (tip?.commit.n ?? 0) + 1;
  const uris = new BucketUris(parts.bucket);
  const location = uris.uriOf(projectionPrefix(stream.table).slice(0, -1));
  const before = withColumnsOf(stream, tip?.metadata ?? emptyMetadata(stream, location, newId()));
  // Iceberg requires ascending times, but the clocks of two projectors differ.
  const atMs = Math.max(now(), before['last-updated-ms']);
  const previous = tip === undefined ? undefined : uris.uriOf(tip.commit.metadata);
  const position = change.position ?? tip?.commit.position ?? {};
  const attempt = new Attempt(parts, { n, id, metadata: before, options });

  let written: { readonly manifests: readonly ManifestFile[]; readonly removedFiles: number; readonly removedRows: number };
  let metadata: TableMetadata;
  const rebuilding = change.operation === 'rebuild';
  let totals = totalsOf(tip);
  if (change.operation === 'expire') {
    written = { manifests: tip?.manifests ?? [], removedFiles: 0, removedRows: 0 };
    metadata = withoutExpired(before, atMs, parts.retention, previous);
  } else {
    written = await attempt.writeManifests(rebuilding ? [] : (tip?.manifests ?? []), change);
    // The manifests of the table before are left out as a whole.
    if (rebuilding) written = { ...written, removedFiles: totals.files, removedRows: totals.rows };
    const addedRows = change.added.reduce((sum, { record_count: rows }) => sum + rows, 0);
    totals = {
      files: totals.files + change.added.length - written.removedFiles,
      rows: totals.rows + addedRows - written.removedRows,
      lostRows: (rebuilding ? 0 : totals.lostRows) + (change.lostRows ?? 0),
    };
    const list = await attempt.writeList(written.manifests);
    const parent = currentSnapshot(before);
    metadata = withSnapshot(
      before,
      {
        'snapshot-id': attempt.snapshot.id,
        ...(parent === undefined ? {} : { 'parent-snapshot-id': parent['snapshot-id'] }),
        'sequence-number': attempt.snapshot.sequenceNumber,
        'timestamp-ms': atMs,
        'manifest-list': list,
        summary: {
          operation: rebuilding ? 'overwrite' : change.operation,
          'added-data-files': String(change.added.length),
          'added-records': String(addedRows),
          'added-files-size': String(change.added.reduce((sum, { file_size_in_bytes: bytes }) => sum + bytes, 0)),
          ...(change.removed === undefined && !rebuilding
            ? {}
            : { 'deleted-data-files': String(written.removedFiles), 'deleted-records': String(written.removedRows) }),
          'total-data-files': String(totals.files),
          'total-records': String(totals.rows),
          'millrace.topic': stream.topic.name,
          'millrace.position': JSON.stringify(Object.fromEntries(Object.entries(position).map(([partition, { to }]) => [partition, to]))),
        },
        'schema-id': before['current-schema-id'],
      },
      previous,
      parts.retention,
    );
  }
  const key = metadataKey(stream.table, n, id);
  await parts.store.put(key, Buffer.from(JSON.stringify(metadata)), { ...options, contentType: 'application/json' });
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
    writer: parts.writer,
  };
  return { commit, metadata, manifests: written.manifests };
}

function totalsOf(tip: Tip | undefined): Pick<ProjectionCommit, 'files' | 'rows' | 'lostRows'> {
  const { files = 0, rows = 0, lostRows = 0 } = tip?.commit ?? {};
  return { files, rows, lostRows };
}

/** One attempt at commit `n`. Every key that it writes names the number and the attempt. */
class Attempt {
  readonly snapshot: WritingSnapshot;
  readonly #parts: CommitParts;
  readonly #n: number;
  readonly #id: string;
  readonly #metadata: TableMetadata;
  readonly #options: CallOptions;
  readonly #uris: BucketUris;
  #manifests = 0;

  constructor(parts: CommitParts, { n, id, metadata, options }: { n: number; id: string; metadata: TableMetadata; options: CallOptions }) {
    this.#parts = parts;
    this.#n = n;
    this.#id = id;
    this.#metadata = metadata;
    this.#options = options;
    this.#uris = new BucketUris(parts.bucket);
    this.snapshot = { id: snapshotIdOf(id), sequenceNumber: metadata['last-sequence-number'] + 1 };
  }

  async writeManifests(
    earlier: readonly ManifestFile[],
    { operation, added, removed }: Change,
  ): Promise<{ manifests: readonly ManifestFile[]; removedFiles: number; removedRows: number }> {
    // A manifest that only states removals belongs to the snapshot that made them.
    const live = earlier.filter((manifest) => manifest.added_files_count + manifest.existing_files_count > 0);
    const touched = live.filter(({ manifest_path: path }) => removed?.manifests.has(path) ?? false);
    const merging = operation === 'append' ? manifestsToMerge(live) : [];
    const kept = live.filter((manifest) => !touched.includes(manifest) && !merging.includes(manifest));

    const entries = await this.#entriesOf([...merging, ...touched]);
    const isRemoved = ({ data_file: file }: ManifestEntry): boolean => removed?.uris.has(file.file_path) ?? false;
    const gone = entries.filter(isRemoved).map((entry): ManifestEntry => ({
      ...entry,
      status: entryStatus.deleted,
      snapshot_id: this.snapshot.id,
    }));
    const survivors = entries.filter((entry) => !isRemoved(entry));
    const manifests = [...kept];
    for (let start = 0; start < survivors.length; start += entriesPerManifestMax)
      manifests.push(await this.#put(survivors.slice(start, start + entriesPerManifestMax)));
    if (gone.length > 0) manifests.push(await this.#put(gone));
    for (let start = 0; start < added.length; start += entriesPerManifestMax) {
      manifests.push(
        await this.#put(
          added.slice(start, start + entriesPerManifestMax).map((file): ManifestEntry => ({
            status: entryStatus.added,
            snapshot_id: this.snapshot.id,
            sequence_number: null,
            file_sequence_number: null,
            data_file: file,
          })),
        ),
      );
    }
    return { manifests, removedFiles: gone.length, removedRows: gone.reduce((sum, { data_file: file }) => sum + file.record_count, 0) };
  }

  /** Writes the manifest list and returns its location. */
  async writeList(manifests: readonly ManifestFile[]): Promise<string> {
    const key = manifestListKey(this.#parts.stream.table, this.#n, this.#id);
    const parent = currentSnapshot(this.#metadata)?.['snapshot-id'];
    await this.#parts.store.put(key, await manifestListBytes(manifests, this.snapshot, parent), this.#options);
    return this.#uris.uriOf(key);
  }

  async #entriesOf(manifests: readonly ManifestFile[]): Promise<ManifestEntry[]> {
    const parts: { manifest: ManifestFile; entries: ManifestEntry[] }[] = [];
    for (let start = 0; start < manifests.length; start += readsAtOnce) {
      parts.push(
        ...(await Promise.all(
          manifests.slice(start, start + readsAtOnce).map(async (manifest) => ({
            manifest,
            entries: await readManifest(await readNeeded(this.#parts.store, this.#uris.keyOf(manifest.manifest_path)!, this.#options)),
          })),
        )),
      );
    }
    return mergedEntries(parts);
  }

  async #put(entries: readonly ManifestEntry[]): Promise<ManifestFile> {
    const key = manifestKey(this.#parts.stream.table, this.#n, this.#id, this.#manifests);
    this.#manifests += 1;
    const bytes = await manifestBytes(currentSchema(this.#metadata), this.#metadata['partition-specs'][0]!, entries);
    await this.#parts.store.put(key, bytes, this.#options);
    return manifestFileOf(this.#uris.uriOf(key), bytes.byteLength, entries, this.snapshot);
  }
}

const readsAtOnce = 8;

/** A snapshot id from the first 52 bits of a UUID: JavaScript and JSON carry it without loss. */
function snapshotIdOf(uuid: string): number {
  return Number.parseInt(uuid.replaceAll('-', '').slice(0, 13), 16);
}
