import type { Stream } from '@millrace/contracts';
import type { CatalogGuard, ObjectSettings, StoreGuard } from '@millrace/lake';
import { LakeReader } from './lake-reader.ts';

/** Settings of {@link openLake}. */
export interface LakeSettings {
  /** Bucket and prefix. */
  readonly root: string;
  readonly objects: ObjectSettings;
  /** Database of the tables in Glue. */
  readonly database: string;
  readonly guards: { readonly s3: StoreGuard; readonly glue: CatalogGuard };
  /** Time to open a connection, in milliseconds. */
  readonly connectTimeoutMs: { readonly s3: number | undefined; readonly glue: number | undefined };
}

/** The lake of the streams. */
export interface OpenedLake {
  readonly readerOf: (stream: Stream) => LakeReader;
  close(): void;
}

/** Opens the lake. The SDK loads only here: a service without a lake needs neither its memory nor its start. */
export async function openLake({ root, objects, database, guards, connectTimeoutMs }: LakeSettings): Promise<OpenedLake> {
  const { GlueCatalog, glueClient, Ledger, s3Client, S3ObjectStore } = await import('@millrace/lake');
  const s3 = s3Client({ connectTimeoutMs: connectTimeoutMs.s3, idleTimeoutMs: 0 }, {}, objects);
  const glue = glueClient({ connectTimeoutMs: connectTimeoutMs.glue, idleTimeoutMs: 0 });
  const store = new S3ObjectStore(s3, root, guards.s3);
  return {
    readerOf: (stream) => new LakeReader(stream, store, new GlueCatalog(glue, stream, root, guards.glue, database), Ledger),
    close() {
      s3.destroy();
      glue.destroy();
    },
  };
}
