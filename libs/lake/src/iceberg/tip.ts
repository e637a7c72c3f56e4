import type { Stream } from '@millrace/contracts';
import { LakeError } from '../errors.ts';
import type { CallOptions, ObjectStore } from '../object-store.ts';
import type { CommitLog, ProjectionCommit } from './commit-log.ts';
import { readManifestList, type ManifestFile } from './manifest.ts';
import { currentSnapshot, parseMetadata, type TableMetadata } from './table-metadata.ts';

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

/**
 * Reads the newest commit with its metadata and manifest list, or returns `known` when it is the newest.
 *
 * @throws LakeError `invalid` when the commit follows another topic than the stream
 */
export async function readTip(
  { store, bucket, stream }: { readonly store: ObjectStore; readonly bucket: string; readonly stream: Stream },
  log: CommitLog,
  known: Tip | undefined,
  options: CallOptions,
): Promise<Tip | undefined> {
  const commit = await log.head(known?.commit, options);
  if (commit === undefined || commit.id === known?.commit.id) return known;
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
