import type { Stream } from '@millrace/contracts';
import { LakeError } from '../errors.ts';
import type { CallOptions, ObjectStore } from '../object-store.ts';
import type { CommitLog, ProjectionCommit } from './commit-log.ts';
import { readManifestList, type ManifestFile } from './manifest.ts';
import { projectionPrefix } from './projection-keys.ts';
import { currentSnapshot, emptyMetadata, parseMetadata, type TableMetadata } from './table-metadata.ts';

/** The table as the newest known commit describes it. */
export interface Tip {
  readonly commit: ProjectionCommit;
  readonly metadata: TableMetadata;
  readonly manifests: readonly ManifestFile[];
}

/** Keys and locations in one bucket. */
export class BucketUris {
  readonly #prefix: string;

  constructor(bucket: string) {
    this.#prefix = `s3://${bucket}/`;
  }

  uriOf(key: string): string {
    return `${this.#prefix}${key}`;
  }

  /** The key of a location. Undefined when it is outside the bucket. */
  keyOf(uri: string): string | undefined {
    return uri.startsWith(this.#prefix) ? uri.slice(this.#prefix.length) : undefined;
  }
}

/**
 * Reads an object that a commit needs.
 *
 * @throws LakeError `bad-entry` when it is missing
 */
export async function readNeeded(store: ObjectStore, key: string, options: CallOptions): Promise<Uint8Array> {
  const bytes = await store.get(key, options);
  if (bytes === undefined) throw new LakeError('bad-entry', `${key} is missing, although a commit of the projection needs it`, { key });
  return bytes;
}

/** Where a table is. */
interface TipParts {
  readonly store: ObjectStore;
  readonly bucket: string;
  readonly stream: Stream;
}

/**
 * Reads the newest commit with its metadata and manifest list, or returns `known` when it is the newest.
 *
 * @throws LakeError `invalid` when the commit follows another topic than the stream
 */
export async function readTip(parts: TipParts, log: CommitLog, known: Tip | undefined, options: CallOptions): Promise<Tip | undefined> {
  const commit = await log.head(known?.commit, options);
  if (commit === undefined || commit.id === known?.commit.id) return known;
  return await readTable(parts, commit, options);
}

/**
 * Reads the newest commit for one that replaces every file of the table. A table whose objects are missing or damaged is taken as an empty
 * one with a new identity.
 *
 * @throws LakeError `invalid` when the commit follows another topic than the stream, `bad-entry` when the commit itself cannot be read
 */
export async function readTipToReplace(
  parts: TipParts & { readonly newId: () => string },
  log: CommitLog,
  options: CallOptions,
): Promise<Tip | undefined> {
  const commit = await log.head(undefined, options);
  if (commit === undefined) return undefined;
  try {
    return await readTable(parts, commit, options);
  } catch (error) {
    options.signal?.throwIfAborted();
    // The library for Avro throws other errors than those of this library.
    if (error instanceof LakeError && error.code !== 'bad-entry') throw error;
    const location = new BucketUris(parts.bucket).uriOf(projectionPrefix(parts.stream.table).slice(0, -1));
    return { commit, metadata: emptyMetadata(parts.stream, location, parts.newId()), manifests: [] };
  }
}

async function readTable({ store, bucket, stream }: TipParts, commit: ProjectionCommit, options: CallOptions): Promise<Tip> {
  if (commit.topic !== stream.topic.name) {
    throw new LakeError(
      'invalid',
      `the Iceberg table of ${stream.table} follows the topic ${commit.topic}, not ${stream.topic.name}; project the topic into another table`,
    );
  }
  const metadata = parseMetadata(commit.metadata, await readNeeded(store, commit.metadata, options));
  const list = new BucketUris(bucket).keyOf(currentSnapshot(metadata)!['manifest-list'])!;
  return { commit, metadata, manifests: await readManifestList(await readNeeded(store, list, options)) };
}
