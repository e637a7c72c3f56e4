import { randomUUID } from 'node:crypto';
import { CopyObjectCommand, DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { purchases } from '@millrace/contracts';
import {
  compactedPrefix,
  defaultRetention,
  glueClient,
  GluePointer,
  icebergTableName,
  Projection,
  projectionPrefix,
  readManifest,
  s3Client,
  S3ObjectStore,
  type ManifestEntry,
} from '@millrace/lake';
import { LakeView } from '@millrace/testing';
import { auditTable } from '../../proof/audit-table.ts';
import { allExact, type LakeCheck, type ReaderVerdicts } from './lake-check.ts';

/** Whether planted violations were found. */
export interface PlantedViolations {
  readonly lost: PlantedViolation;
  readonly doubled: PlantedViolation;
  readonly gone: PlantedViolation;
  /** Whether every reader agreed with the base again afterwards. */
  readonly healed: boolean;
}

/** Readers of the Iceberg table that noticed a violation, and whether the audit did. */
export interface PlantedViolation {
  readonly readers: readonly string[];
  readonly audit: boolean;
}

type Verdict = ReaderVerdicts[string];

/** Plants violations into the Iceberg table, runs the checker on each, and undoes them. No projector may run. */
export class ViolationPlanter {
  readonly #check: LakeCheck;
  readonly #bucket: string;
  readonly #s3 = s3Client();
  readonly #glue = glueClient();
  readonly #store: S3ObjectStore;
  readonly #projection: Projection;

  constructor(check: LakeCheck, bucket: string) {
    this.#check = check;
    this.#bucket = bucket;
    this.#store = new S3ObjectStore(this.#s3, bucket);
    this.#projection = new Projection({
      retention: defaultRetention,
      store: this.#store,
      bucket,
      stream: purchases,
      catalog: new GluePointer(this.#glue, purchases, `s3://${bucket}/${projectionPrefix(purchases.table)}`.slice(0, -1)),
      writer: 'planted',
      now: Date.now,
      newId: randomUUID,
      rowsOf: async () => 0,
      onPointerFailure: (error) => {
        throw error;
      },
    });
  }

  /** Plants a file that is gone, a duplicate and a loss, and undoes each. */
  async run(): Promise<PlantedViolations> {
    const gone = await this.#deleteFile();
    const doubled = await this.#doubleFile();
    const lost = await this.#dropFile();
    return { lost, doubled, gone, healed: allExact(await this.#check.verdicts()) };
  }

  close(): void {
    this.#s3.destroy();
    this.#glue.destroy();
  }

  async #look(isFound: (verdict: Verdict) => boolean): Promise<PlantedViolation> {
    const verdicts = await this.#check.verdicts();
    const { complete } = await auditTable(purchases.table);
    return { readers: Object.keys(verdicts).filter((name) => isFound(verdicts[name]!)), audit: !complete };
  }

  /** A commit that replaces one file by nothing, and one that adds it again. */
  async #dropFile(): Promise<PlantedViolation> {
    const { entry } = await this.#pick(() => true);
    await this.#remove(entry.data_file.file_path);
    const found = await this.#look(({ difference }) => (difference?.lost ?? 0) > 0);
    await this.#projection.table.commit(async () => ({ operation: 'append', added: [entry.data_file] }));
    return found;
  }

  /** A commit that adds the rows of one file once more, and one that removes them. */
  async #doubleFile(): Promise<PlantedViolation> {
    const { entry } = await this.#pick(() => true);
    const { uris } = this.#projection.table;
    const key = `${compactedPrefix(purchases.table)}planted-${randomUUID()}.parquet`;
    const source = `${this.#bucket}/${encodeURI(uris.keyOf(entry.data_file.file_path)!)}`;
    await this.#s3.send(new CopyObjectCommand({ Bucket: this.#bucket, Key: key, CopySource: source }));
    await this.#projection.table.commit(async () => ({
      operation: 'append',
      added: [{ ...entry.data_file, file_path: uris.uriOf(key) }],
    }));
    const found = await this.#look(({ difference }) => (difference?.doubled ?? 0) > 0);
    await this.#remove(uris.uriOf(key));
    return found;
  }

  async #remove(uri: string): Promise<void> {
    const { manifest } = await this.#pick(({ data_file: file }) => file.file_path === uri);
    await this.#projection.table.commit(async () => ({
      operation: 'replace',
      added: [],
      removed: { uris: new Set([uri]), manifests: new Set([manifest]) },
    }));
  }

  /** A merged file that is deleted while the newest snapshot names it. It comes back afterwards. */
  async #deleteFile(): Promise<PlantedViolation> {
    const merged = `s3://${this.#bucket}/${compactedPrefix(purchases.table)}`;
    const { entry } = await this.#pick(({ data_file: file }) => file.file_path.startsWith(merged));
    const key = this.#projection.table.uris.keyOf(entry.data_file.file_path)!;
    const view = new LakeView({ bucket: this.#bucket });
    const body = await view.read(key);
    view.close();
    await this.#s3.send(new DeleteObjectCommand({ Bucket: this.#bucket, Key: key }));
    const found = await this.#look(({ failure }) => failure !== undefined);
    await this.#s3.send(new PutObjectCommand({ Bucket: this.#bucket, Key: key, Body: body }));
    return found;
  }

  async #pick(isWanted: (entry: ManifestEntry) => boolean): Promise<{ readonly entry: ManifestEntry; readonly manifest: string }> {
    const tip = await this.#projection.table.read();
    for (const { manifest_path: manifest } of tip?.manifests ?? []) {
      const bytes = await this.#store.get(this.#projection.table.uris.keyOf(manifest)!);
      const entry = (await readManifest(bytes!)).find((one) => one.status !== 2 && isWanted(one));
      if (entry !== undefined) return { entry, manifest };
    }
    throw new Error(`${icebergTableName(purchases.table)} has no file for a planted violation`);
  }
}
