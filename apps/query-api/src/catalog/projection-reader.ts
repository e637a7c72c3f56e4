import {
  CommitLog,
  currentSnapshot,
  entryStatus,
  icebergTableName,
  parseMetadata,
  readManifest,
  readManifestList,
  type InspectableStore,
  type ProjectionCommit,
} from '@millrace/lake';

/** Manifests that one read opens at most. The projector merges small ones, so that a table has few. */
const manifestsMax = 64;
/** Manifests whose sums are remembered. They never change. */
const rememberedMax = 1000;

/** The Iceberg table over a base table, at its newest commit. */
export interface ProjectionState {
  /** Name in the catalog. */
  readonly table: string;
  readonly commit: number;
  readonly committedAtMs: number;
  readonly files: number;
  readonly rows: number;
  /** Size of the data files. Undefined when there are too many manifests to read. */
  readonly bytes: number | undefined;
  /** For each partition of the topic, the offset before which every event is in the table. */
  readonly position: ReadonlyMap<number, number>;
}

interface Sums {
  readonly files: number;
  readonly rows: number;
  readonly bytes: number;
}

/** Reads the newest commit of the projection of one table, with few calls: its objects never change. */
export class ProjectionReader {
  readonly #store: InspectableStore;
  readonly #table: string;
  readonly #log: CommitLog;
  readonly #sums = new Map<string, Sums>();
  #known: { readonly commit: ProjectionCommit; readonly state: ProjectionState } | undefined;

  constructor(store: InspectableStore, table: string) {
    this.#store = store;
    this.#table = table;
    this.#log = new CommitLog(store, table);
  }

  /** The table now. Undefined when there is no projection. */
  async read(signal: AbortSignal): Promise<ProjectionState | undefined> {
    const commit = await this.#log.head(this.#known?.commit, { signal });
    if (commit === undefined) return undefined;
    if (commit === this.#known?.commit) return this.#known.state;
    const sums = await this.#sumsOf(commit, signal);
    const state: ProjectionState = {
      table: icebergTableName(this.#table),
      commit: commit.n,
      committedAtMs: commit.atMs,
      files: sums?.files ?? commit.files,
      rows: sums?.rows ?? commit.rows,
      bytes: sums?.bytes,
      position: new Map(Object.entries(commit.position).map(([partition, { to }]) => [Number(partition), to])),
    };
    this.#known = { commit, state };
    return state;
  }

  async #sumsOf({ metadata: key }: ProjectionCommit, signal: AbortSignal): Promise<Sums | undefined> {
    const snapshot = currentSnapshot(parseMetadata(key, await this.#object(key, signal)));
    if (snapshot === undefined) return undefined;
    const manifests = await readManifestList(await this.#object(keyOf(snapshot['manifest-list']), signal));
    if (manifests.filter(({ manifest_path: path }) => !this.#sums.has(path)).length > manifestsMax) return undefined;
    const parts = await Promise.all(manifests.map(async ({ manifest_path: path }) => await this.#sumsOfManifest(path, signal)));
    return parts.reduce((a, b) => ({ files: a.files + b.files, rows: a.rows + b.rows, bytes: a.bytes + b.bytes }), {
      files: 0,
      rows: 0,
      bytes: 0,
    });
  }

  async #sumsOfManifest(path: string, signal: AbortSignal): Promise<Sums> {
    const known = this.#sums.get(path);
    if (known !== undefined) return known;
    const entries = await readManifest(await this.#object(keyOf(path), signal));
    const live = entries.filter(({ status }) => status !== entryStatus.deleted).map(({ data_file: file }) => file);
    const sums = {
      files: live.length,
      rows: live.reduce((sum, file) => sum + file.record_count, 0),
      bytes: live.reduce((sum, file) => sum + file.file_size_in_bytes, 0),
    };
    if (this.#sums.size >= rememberedMax) this.#sums.clear();
    this.#sums.set(path, sums);
    return sums;
  }

  async #object(key: string, signal: AbortSignal): Promise<Uint8Array> {
    const bytes = await this.#store.get(key, { signal });
    if (bytes === undefined) throw new TypeError(`${key} is missing, although a commit of the projection needs it.`);
    return bytes;
  }
}

function keyOf(uri: string): string {
  return uri.replace(/^s3:\/\/[^/]+\//, '');
}
