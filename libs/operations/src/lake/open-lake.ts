import type { Stream } from '@millrace/contracts';
import {
  CatalogTable,
  GlueCatalog,
  GluePointer,
  openLakeClients,
  projectionPrefix,
  resolveS3Access,
  S3ObjectStore,
  type AwsAccess,
  type S3Access,
} from '@millrace/lake';
import { OperationError } from '../errors.ts';

/** Names of a lake. */
export interface LakeSettings {
  /** The stream whose events the table holds. */
  readonly declaration: Stream;
  /** The bucket, and the prefix after a slash; see `lakeRoot`. */
  readonly bucket: string;
  readonly database: string;
  /** Prefix of the table in the bucket: lower-case letters, digits and underscores, a letter first, at most 128 characters. */
  readonly table: string;
  /** Name of the table in Glue. It differs from the prefix after a switch to a replay. */
  readonly catalogTable: string;
  readonly topic: string;
  readonly aws: AwsAccess;
}

/** The objects of a table. */
export type LakeObjects = Pick<Lake, 'store' | 'stream'>;

/** The rows of a table, as DuckDB reads them. */
export type LakeRows = Pick<Lake, 'store' | 'stream' | 'bucket' | 's3Access'>;

/** An open lake. */
export interface Lake {
  readonly settings: LakeSettings;
  readonly stream: Stream;
  readonly store: S3ObjectStore;
  readonly catalog: GlueCatalog;
  /** The table in Glue, for its columns. */
  readonly glueTable: CatalogTable;
  /** The pointer of Glue to the Iceberg table. */
  readonly icebergPointer: GluePointer;
  readonly bucket: string;
  /** The table's name in Glue. */
  readonly catalogTable: string;
  /** Resolves the access to the bucket through the SDK. */
  s3Access(): Promise<S3Access>;
  close(): void;
}

/**
 * Opens a lake. The caller closes it.
 *
 * @throws OperationError `invalid-argument` when the name of the table is not valid
 */
export function openLake(settings: LakeSettings): Lake {
  const { declaration, bucket, database, table, catalogTable, topic, aws } = settings;
  if (!/^[a-z][a-z0-9_]{0,127}$/.test(table)) {
    throw new OperationError(
      'invalid-argument',
      `Invalid table name "${table}": use lower-case letters, digits and underscores, a letter first.`,
    );
  }
  const stream: Stream = { ...declaration, table, database, topic: { ...declaration.topic, name: topic } };
  // No pipeline guards an operation: the retries of the SDK are the only ones.
  const { s3, glue } = openLakeClients(aws, { maxAttempts: 3, s3SocketsMax: 32 });
  return {
    settings,
    stream,
    bucket,
    catalogTable,
    store: new S3ObjectStore(s3, bucket),
    catalog: new GlueCatalog(glue, stream, bucket, undefined, stream.database, catalogTable),
    icebergPointer: new GluePointer(glue, stream, `s3://${bucket}/${projectionPrefix(table)}`),
    glueTable: new CatalogTable(glue, stream.database, catalogTable),
    s3Access: async () => await resolveS3Access(aws),
    close() {
      s3.destroy();
      glue.destroy();
    },
  };
}
