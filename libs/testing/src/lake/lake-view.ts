import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';

/** Names of a lake. */
export interface LakeViewOptions {
  /**
   * URL of S3. Default: `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL`, as the SDK reads them. A judge should not look through a fault proxy.
   */
  readonly endpoint?: string;
  readonly bucket: string;
}

/** An object as a listing shows it. */
export interface LakeObject {
  readonly key: string;
  readonly bytes: number;
}

/** A row of a Parquet file by column name. Timestamps are `Date`, 64-bit integers are `bigint`. */
export type LakeRow = Readonly<Record<string, unknown>>;

/** Reads the objects of a lake with another Parquet reader. It shares no code with the writers. */
export class LakeView {
  readonly bucket: string;
  readonly #s3: S3Client;

  constructor({ endpoint, bucket }: LakeViewOptions) {
    this.bucket = bucket;
    this.#s3 = new S3Client({ forcePathStyle: true, ...(endpoint === undefined ? {} : { endpoint }) });
  }

  /** Every object under a prefix, in the order of the keys. */
  async objects(prefix: string): Promise<LakeObject[]> {
    const found: LakeObject[] = [];
    let token: string | undefined;
    do {
      const { Contents = [], NextContinuationToken } = await this.#s3.send(
        new ListObjectsV2Command({ Bucket: this.bucket, Prefix: prefix, ContinuationToken: token }),
      );
      found.push(...Contents.map(({ Key, Size }) => ({ key: Key!, bytes: Size! })));
      token = NextContinuationToken;
    } while (token !== undefined);
    return found;
  }

  /**
   * Reads an object.
   *
   * @throws the SDK's `NoSuchKey` when it is not there
   */
  async read(key: string): Promise<Buffer> {
    const { Body } = await this.#s3.send(new GetObjectCommand({ Bucket: this.bucket, Key: key }));
    return Buffer.from(await Body!.transformToByteArray());
  }

  /** The rows of a Parquet file, or of its bytes; all columns unless some are named. */
  async rows(file: string | Buffer, columns?: readonly string[]): Promise<LakeRow[]> {
    const bytes = typeof file === 'string' ? await this.read(file) : file;
    const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
    return await parquetReadObjects({ file: buffer, compressors, ...(columns === undefined ? {} : { columns: [...columns] }) });
  }

  /** Lets go of the connections. */
  close(): void {
    this.#s3.destroy();
  }
}

/**
 * The rows of every Parquet file under a prefix, or of one file.
 *
 * @param prefix `purchases/dt=2019-11-30/`, or a key
 */
export async function readRows(lake: LakeViewOptions, prefix: string): Promise<LakeRow[]> {
  const view = new LakeView(lake);
  try {
    const rows: LakeRow[] = [];
    for (const { key } of await view.objects(prefix)) if (key.endsWith('.parquet')) rows.push(...(await view.rows(key)));
    return rows;
  } finally {
    view.close();
  }
}
