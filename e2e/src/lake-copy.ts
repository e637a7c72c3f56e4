import { randomUUID } from 'node:crypto';
import { CreateBucketCommand, DeleteBucketCommand, DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { checkLake, LakeView, type LakeCheck } from '@millrace/testing';
import { lake, stack } from './stack.ts';

/** A copy of one table's lake in another bucket, for planted faults. */
export class LakeCopy {
  readonly #s3: S3Client;
  readonly #view: LakeView;
  readonly #table: string;

  constructor(s3: S3Client, bucket: string, table: string) {
    this.#s3 = s3;
    this.#view = new LakeView({ endpoint: stack.awsUrl, bucket });
    this.#table = table;
  }

  async check(): Promise<LakeCheck> {
    return await checkLake({ endpoint: stack.awsUrl, bucket: this.#view.bucket, table: this.#table });
  }

  /** One of the table's files, and the number of its rows. */
  async file(n = 0): Promise<{ readonly key: string; readonly rows: number }> {
    const { key } = (await this.#view.objects(`${this.#table}/`))[n]!;
    return { key, rows: (await this.#view.rows(key, ['_offset'])).length };
  }

  /** Key of the entry with which the first lane begins. */
  async firstEntry(): Promise<string> {
    const entries = await this.#view.objects(`_ledger/${this.#table}/`);
    return entries.find(({ key }) => key.endsWith('-0.json'))!.key;
  }

  async read(key: string): Promise<Buffer> {
    return await this.#view.read(key);
  }

  /** Writes an object; returns a function that undoes it. */
  async put(key: string, body: Buffer): Promise<() => Promise<void>> {
    const before = await this.#view.read(key).catch(() => undefined);
    await this.#write(key, body);
    return async () => await this.#write(key, before);
  }

  /** Deletes an object; returns a function that undoes it. */
  async delete(key: string): Promise<() => Promise<void>> {
    const before = await this.#view.read(key);
    await this.#write(key, undefined);
    return async () => await this.#write(key, before);
  }

  async remove(): Promise<void> {
    for (const { key } of await this.#view.objects('')) await this.#write(key, undefined);
    await this.#s3.send(new DeleteBucketCommand({ Bucket: this.#view.bucket }));
    this.#view.close();
    this.#s3.destroy();
  }

  async #write(key: string, body: Buffer | undefined): Promise<void> {
    const at = { Bucket: this.#view.bucket, Key: key };
    await this.#s3.send(body === undefined ? new DeleteObjectCommand(at) : new PutObjectCommand({ ...at, Body: body }));
  }
}

/** Copies what belongs to a table. Keys stay as they are, so the entries still name their files. */
export async function copyOfLake(table: string): Promise<LakeCopy> {
  const s3 = new S3Client({ endpoint: stack.awsUrl, forcePathStyle: true });
  const bucket = `copy-${randomUUID().slice(0, 8)}`;
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  for (const prefix of [`${table}/`, `_ledger/${table}/`, `_rejects/${table}/`]) {
    for (const { key } of await lake.objects(prefix))
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: await lake.read(key) }));
  }
  return new LakeCopy(s3, bucket, table);
}
