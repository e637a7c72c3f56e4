import { Buffer } from 'node:buffer';
import { readContainer, writeContainer } from './avro-container.ts';
import { manifestEntrySchema, manifestFileSchema } from './avro-schemas.ts';
import type { DataFile } from './data-file.ts';
import type { IcebergSchema, PartitionSpec } from './table-schema.ts';

/** Iceberg's numbers of the states of a data file in a manifest. */
export const entryStatus = { existing: 0, added: 1, deleted: 2 } as const;

/** An entry of a manifest. A null sequence number is the one of the snapshot that added the manifest. */
export interface ManifestEntry {
  readonly status: (typeof entryStatus)[keyof typeof entryStatus];
  readonly snapshot_id: number | null;
  readonly sequence_number: number | null;
  readonly file_sequence_number: number | null;
  readonly data_file: DataFile;
}

/** An entry of a manifest list: one manifest, its counts and the range of its partition values. */
export interface ManifestFile {
  readonly manifest_path: string;
  readonly manifest_length: number;
  readonly partition_spec_id: 0;
  readonly content: 0;
  readonly sequence_number: number;
  readonly min_sequence_number: number;
  readonly added_snapshot_id: number;
  readonly added_files_count: number;
  readonly existing_files_count: number;
  readonly deleted_files_count: number;
  readonly added_rows_count: number;
  readonly existing_rows_count: number;
  readonly deleted_rows_count: number;
  readonly partitions: readonly {
    readonly contains_null: boolean;
    readonly contains_nan: boolean | null;
    readonly lower_bound: Buffer | null;
    readonly upper_bound: Buffer | null;
  }[];
}

/** The snapshot that writes a manifest. */
export interface WritingSnapshot {
  readonly id: number;
  readonly sequenceNumber: number;
}

/** Encodes a manifest. */
export async function manifestBytes(schema: IcebergSchema, spec: PartitionSpec, entries: readonly ManifestEntry[]): Promise<Uint8Array> {
  const metadata = {
    schema: JSON.stringify(schema),
    'schema-id': String(schema['schema-id']),
    'partition-spec': JSON.stringify(spec.fields),
    'partition-spec-id': String(spec['spec-id']),
    'format-version': '2',
    content: 'data',
  };
  return await writeContainer(manifestEntrySchema(spec.fields[0]!.name), metadata, entries);
}

/** Decodes the entries of a manifest. */
export async function readManifest(bytes: Uint8Array): Promise<ManifestEntry[]> {
  return await readContainer<ManifestEntry>(bytes);
}

/** Describes a manifest for the manifest list. */
export function manifestFileOf(
  path: string,
  length: number,
  entries: readonly ManifestEntry[],
  { id, sequenceNumber }: WritingSnapshot,
): ManifestFile {
  const of = (status: number): readonly ManifestEntry[] => entries.filter((entry) => entry.status === status);
  const rows = (some: readonly ManifestEntry[]): number => some.reduce((sum, { data_file: file }) => sum + file.record_count, 0);
  const [added, existing, deleted] = [of(entryStatus.added), of(entryStatus.existing), of(entryStatus.deleted)];
  const values = entries.flatMap(({ data_file: file }) => Object.values(file.partition)).toSorted();
  return {
    manifest_path: path,
    manifest_length: length,
    partition_spec_id: 0,
    content: 0,
    sequence_number: sequenceNumber,
    min_sequence_number: entries.reduce((least, entry) => Math.min(least, entry.sequence_number ?? sequenceNumber), sequenceNumber),
    added_snapshot_id: id,
    added_files_count: added.length,
    existing_files_count: existing.length,
    deleted_files_count: deleted.length,
    added_rows_count: rows(added),
    existing_rows_count: rows(existing),
    deleted_rows_count: rows(deleted),
    partitions: [
      {
        contains_null: false,
        contains_nan: false,
        lower_bound: values.length === 0 ? null : Buffer.from(values[0]!),
        upper_bound: values.length === 0 ? null : Buffer.from(values.at(-1)!),
      },
    ],
  };
}

/** Encodes the manifest list of a snapshot. */
export async function manifestListBytes(
  manifests: readonly ManifestFile[],
  { id, sequenceNumber }: WritingSnapshot,
  parent: number | undefined,
): Promise<Uint8Array> {
  const metadata = {
    'snapshot-id': String(id),
    'parent-snapshot-id': String(parent ?? null),
    'sequence-number': String(sequenceNumber),
    'format-version': '2',
  };
  return await writeContainer(manifestFileSchema, metadata, manifests);
}

/** Decodes a manifest list. */
export async function readManifestList(bytes: Uint8Array): Promise<ManifestFile[]> {
  return await readContainer<ManifestFile>(bytes);
}
