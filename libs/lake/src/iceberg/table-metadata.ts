import { validatorFor, type Stream } from '@millrace/contracts';
import { Type, type Static } from 'typebox';
import { parseStored } from '../parse-stored.ts';
import { icebergFields, partitionFieldId, partitionSpecOf, type IcebergSchema, type PartitionSpec } from './table-schema.ts';

/** Limits of the snapshots that the metadata lists. */
export interface Retention {
  /** Snapshots at most, the current one included; ≥ 1. */
  readonly snapshotsMax: number;
  /** Milliseconds for which a snapshot stays listed after another one took its place. */
  readonly ageMs: number;
}

/** 100 snapshots at most, so that the metadata stays near 100 KB, and one hour. */
export const defaultRetention: Retention = { snapshotsMax: 100, ageMs: 3_600_000 };

/** Earlier metadata files that the metadata lists. */
const metadataLogMax = 20;

const snapshot = Type.Object({
  'snapshot-id': Type.Integer(),
  'parent-snapshot-id': Type.Optional(Type.Integer()),
  'sequence-number': Type.Integer(),
  'timestamp-ms': Type.Integer(),
  'manifest-list': Type.String(),
  summary: Type.Record(Type.String(), Type.String()),
  'schema-id': Type.Integer(),
});

const schema = Type.Unsafe<IcebergSchema>(
  Type.Object({ type: Type.Literal('struct'), 'schema-id': Type.Integer(), fields: Type.Array(Type.Object({})) }),
);
const spec = Type.Unsafe<PartitionSpec>(Type.Object({ 'spec-id': Type.Integer(), fields: Type.Array(Type.Object({})) }));

const metadataSchema = Type.Object({
  'format-version': Type.Literal(2),
  'table-uuid': Type.String(),
  location: Type.String(),
  'last-sequence-number': Type.Integer(),
  'last-updated-ms': Type.Integer(),
  'last-column-id': Type.Integer(),
  schemas: Type.Array(schema),
  'current-schema-id': Type.Integer(),
  'partition-specs': Type.Array(spec),
  'default-spec-id': Type.Integer(),
  'last-partition-id': Type.Integer(),
  'sort-orders': Type.Array(Type.Unknown()),
  'default-sort-order-id': Type.Integer(),
  properties: Type.Record(Type.String(), Type.String()),
  'current-snapshot-id': Type.Integer(),
  refs: Type.Record(Type.String(), Type.Unknown()),
  snapshots: Type.Array(snapshot),
  'snapshot-log': Type.Array(Type.Object({ 'timestamp-ms': Type.Integer(), 'snapshot-id': Type.Integer() })),
  'metadata-log': Type.Array(Type.Object({ 'timestamp-ms': Type.Integer(), 'metadata-file': Type.String() })),
});

/** The table metadata of Iceberg's format version 2, as this library writes it. */
export type TableMetadata = Static<typeof metadataSchema>;

/** A snapshot in the table metadata. */
export type Snapshot = Static<typeof snapshot>;

const validator = validatorFor(metadataSchema);

/**
 * Reads table metadata that this library wrote.
 *
 * @throws LakeError `bad-entry` with the key and the fault
 */
export function parseMetadata(key: string, bytes: Uint8Array): TableMetadata {
  return parseStored(key, bytes, validator);
}

/**
 * Metadata of a table without a snapshot. `gc.enabled` is false, because the base owns its files. Iceberg's own
 * `expire_snapshots`, `remove_orphan_files` and the purge of a dropped table then refuse to delete them.
 *
 * @param location `s3://…` of the projection's own prefix, without a slash at its end
 */
export function emptyMetadata(stream: Stream, location: string, uuid: string): TableMetadata {
  const fields = icebergFields(stream);
  return {
    'format-version': 2,
    'table-uuid': uuid,
    location,
    'last-sequence-number': 0,
    'last-updated-ms': 0,
    'last-column-id': Math.max(...fields.map(({ id }) => id)),
    schemas: [{ type: 'struct', 'schema-id': 0, fields }],
    'current-schema-id': 0,
    'partition-specs': [partitionSpecOf(stream)],
    'default-spec-id': 0,
    'last-partition-id': partitionFieldId,
    'sort-orders': [{ 'order-id': 0, fields: [] }],
    'default-sort-order-id': 0,
    properties: { 'gc.enabled': 'false', 'write.format.default': 'parquet', 'write.parquet.compression-codec': stream.fileCodec },
    'current-snapshot-id': -1,
    refs: {},
    snapshots: [],
    'snapshot-log': [],
    'metadata-log': [],
  };
}

/** The current schema of a table. */
export function currentSchema(metadata: TableMetadata): IcebergSchema {
  return metadata.schemas.find((one) => one['schema-id'] === metadata['current-schema-id'])!;
}

/** The current snapshot of a table; undefined when it has none. */
export function currentSnapshot(metadata: TableMetadata): Snapshot | undefined {
  return metadata.snapshots.find((one) => one['snapshot-id'] === metadata['current-snapshot-id']);
}

/** The metadata with the stream's columns. A field of the contract that the schema lacks gives a new schema; ids decide, not names. */
export function withColumnsOf(stream: Stream, metadata: TableMetadata): TableMetadata {
  const fields = icebergFields(stream);
  const known = currentSchema(metadata);
  if (JSON.stringify(known.fields) === JSON.stringify(fields)) return metadata;
  const id = Math.max(...metadata.schemas.map((one) => one['schema-id'])) + 1;
  return {
    ...metadata,
    'last-column-id': Math.max(metadata['last-column-id'], ...fields.map((field) => field.id)),
    schemas: [...metadata.schemas, { type: 'struct', 'schema-id': id, fields }],
    'current-schema-id': id,
  };
}

/** The metadata with one more snapshot, which becomes the current one. `previous` is the location of the metadata before. */
export function withSnapshot(metadata: TableMetadata, added: Snapshot, previous: string | undefined, retention: Retention): TableMetadata {
  const atMs = added['timestamp-ms'];
  const next: TableMetadata = {
    ...metadata,
    'last-sequence-number': added['sequence-number'],
    'current-snapshot-id': added['snapshot-id'],
    refs: { main: { 'snapshot-id': added['snapshot-id'], type: 'branch' } },
    snapshots: [...metadata.snapshots, added],
    'snapshot-log': [...metadata['snapshot-log'], { 'timestamp-ms': atMs, 'snapshot-id': added['snapshot-id'] }],
  };
  return withoutExpired(next, atMs, retention, previous);
}

/** The metadata of a commit at `atMs` without the expired snapshots. `previous` is the location of the metadata before. */
export function withoutExpired(metadata: TableMetadata, atMs: number, retention: Retention, previous: string | undefined): TableMetadata {
  const snapshots = retainedSnapshots(metadata, atMs, retention);
  const listed = new Set(snapshots.map((one) => one['snapshot-id']));
  const earlier = previous === undefined ? [] : [{ 'timestamp-ms': metadata['last-updated-ms'], 'metadata-file': previous }];
  return {
    ...metadata,
    'last-updated-ms': atMs,
    snapshots,
    'snapshot-log': metadata['snapshot-log'].filter((one) => listed.has(one['snapshot-id'])),
    'metadata-log': [...metadata['metadata-log'], ...earlier].slice(-metadataLogMax),
  };
}

/**
 * The snapshots that stay listed at a time. The age of a snapshot counts from its successor: the current one of a quiet table is old and in use.
 */
export function retainedSnapshots({ snapshots }: TableMetadata, atMs: number, { snapshotsMax, ageMs }: Retention): Snapshot[] {
  return snapshots.filter((_, index) => {
    const successor = snapshots[index + 1];
    return successor === undefined || (index >= snapshots.length - snapshotsMax && successor['timestamp-ms'] > atMs - ageMs);
  });
}
