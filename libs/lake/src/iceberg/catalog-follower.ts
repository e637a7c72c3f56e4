import type { Stream } from '@millrace/contracts';
import { isLakeError, LakeError } from '../errors.ts';
import type { CallOptions, ObjectStore } from '../object-store.ts';
import type { CommitLog, ProjectionCommit } from './commit-log.ts';
import type { CatalogPointer, PointerCatalog } from './iceberg-catalog.ts';
import { commitOfMetadataKey, metadataName, versionHintKey } from './projection-keys.ts';
import { BucketUris } from './tip.ts';

/** Parts of a {@link CatalogFollower}. */
export interface FollowerParts {
  readonly store: ObjectStore;
  readonly bucket: string;
  readonly stream: Stream;
  readonly catalog: PointerCatalog;
  /** Receives failures to move the pointer of the catalog. The commit itself is not affected; the next round repairs the pointer. */
  readonly onPointerFailure: (error: unknown) => void;
}

/** A pointer as it was before a commit. */
export interface PointerBefore {
  readonly pointer: CatalogPointer | undefined;
}

/** Lets the pointer of the catalog follow the newest commit: only forward, and never over the commit of another writer. */
export class CatalogFollower {
  readonly #parts: FollowerParts;
  readonly #log: CommitLog;
  readonly #uris: BucketUris;

  constructor(parts: FollowerParts, log: CommitLog) {
    this.#parts = parts;
    this.#log = log;
    this.#uris = new BucketUris(parts.bucket);
  }

  /**
   * Compares the pointer of the catalog with the newest commit, and moves it forward where a crash or a failure left it behind. Undefined when
   * the catalog did not answer: the commit does not depend on it, and a later round moves the pointer.
   *
   * @throws LakeError `foreign-commit` when the catalog names metadata that no commit names
   */
  async follow(commit: ProjectionCommit | undefined, options: CallOptions): Promise<PointerBefore | undefined> {
    const { catalog, onPointerFailure } = this.#parts;
    try {
      const pointer = await catalog.read(options);
      if (pointer === undefined) {
        if (commit === undefined) return { pointer };
        await catalog.move(undefined, this.#uris.uriOf(commit.metadata), options);
        return { pointer: await catalog.read(options) };
      }
      if (commit !== undefined && pointer.location === this.#uris.uriOf(commit.metadata)) return { pointer };
      const pointed = await this.#commitAt(pointer.location, options);
      if (pointed === undefined) throw this.#foreign(pointer.location);
      // A commit newer than ours: this process has not seen it yet, and its next commit will be refused.
      if (commit === undefined || pointed.n >= commit.n) return undefined;
      await catalog.move(pointer, this.#uris.uriOf(commit.metadata), options);
      return { pointer: await catalog.read(options) };
    } catch (error) {
      options.signal?.throwIfAborted();
      if (isLakeError(error, 'foreign-commit')) throw error;
      onPointerFailure(error);
      return undefined;
    }
  }

  /** Announces a commit to readers: first by the catalog, then by the hint for readers without one. */
  async announce({ pointer }: PointerBefore, commit: ProjectionCommit, options: CallOptions): Promise<void> {
    try {
      // The version that was read before the commit: a foreign writer that moved the pointer since then is not overwritten.
      await this.#parts.catalog.move(pointer, this.#uris.uriOf(commit.metadata), options);
      await this.writeHint(commit, options);
    } catch (error) {
      options.signal?.throwIfAborted();
      this.#parts.onPointerFailure(error);
    }
  }

  async writeHint(commit: ProjectionCommit, options: CallOptions): Promise<void> {
    const { store, stream } = this.#parts;
    await store.put(versionHintKey(stream.table), hintOf(commit), { ...options, contentType: 'text/plain' });
  }

  /**
   * Returns the commits that the catalog and the hint name. Readers may begin with either, although neither is the newest commit.
   *
   * @throws LakeError when the catalog or the store does not answer, or `foreign-commit`
   */
  async announced(newest: ProjectionCommit, options: CallOptions): Promise<ProjectionCommit[]> {
    const { catalog, store, stream } = this.#parts;
    const pointer = await catalog.read(options);
    const pointed = pointer === undefined ? undefined : await this.#commitAt(pointer.location, options);
    if (pointer !== undefined && pointed === undefined) throw this.#foreign(pointer.location);
    const hint = await store.get(versionHintKey(stream.table), options);
    if (hint === undefined || !Buffer.from(hint).equals(hintOf(newest))) await this.writeHint(newest, options);
    const hinted = hint === undefined ? undefined : Number.parseInt(Buffer.from(hint).toString(), 10);
    const named = hinted === undefined || Number.isNaN(hinted) ? undefined : await this.#log.get(hinted, options);
    return [pointed, named].filter((commit) => commit !== undefined);
  }

  /** The commit that names the metadata at a location. Undefined when none does. */
  async #commitAt(location: string | undefined, options: CallOptions): Promise<ProjectionCommit | undefined> {
    const key = location === undefined ? undefined : this.#uris.keyOf(location);
    const n = key === undefined ? undefined : commitOfMetadataKey(this.#parts.stream.table, key);
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
}

function hintOf({ n, id }: ProjectionCommit): Buffer {
  return Buffer.from(metadataName(n, id));
}
