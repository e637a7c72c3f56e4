import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { hiddenColumns, partitionKeyFieldId, purchases, utcDate } from '@millrace/contracts';
import {
  dataKey,
  entryBytes,
  entryKey,
  GlueCatalog,
  glueClient,
  s3Client,
  S3ObjectStore,
  TableFiles,
  type LaneId,
  type LedgerEntry,
  type SnapshotFile,
} from '@millrace/lake';
import { benchEntry } from './bench-entry.ts';

/** How many rows and files a lake has. */
export interface LakeSize {
  readonly rows: number;
  readonly days: number;
  /** Batches; each has one file for each day. */
  readonly batches: number;
}

const firstDay = 1_700_006_400;
const daySeconds = 86_400;

/** A separate bucket and database on the local S3, with landed files. */
export class BenchLake {
  readonly bucket: string;
  readonly database: string;
  readonly store: S3ObjectStore;
  readonly #s3: ReturnType<typeof s3Client>;
  readonly #endpoint: string;
  readonly #folder: string;
  readonly #duckdb: DuckDBConnection;

  private constructor(id: string, endpoint: string, folder: string, duckdb: DuckDBConnection) {
    [this.bucket, this.database] = [`bench-lake-${id}`, `bench_lake_${id}`];
    this.#s3 = s3Client({}, { endpoint, region: process.env['AWS_REGION'] ?? 'us-east-1' });
    this.store = new S3ObjectStore(this.#s3, this.bucket);
    this.#endpoint = endpoint;
    this.#folder = folder;
    this.#duckdb = duckdb;
  }

  static async open(endpoint: string): Promise<BenchLake> {
    const connection = await (await DuckDBInstance.create(':memory:', { threads: '2' })).connect();
    const lake = new BenchLake(randomUUID().slice(0, 8), endpoint, await mkdtemp(join(tmpdir(), 'millrace-bench-')), connection);
    const setUp = join(import.meta.dirname, '..', '..', '..', 'tools', 'stack', 'dist', 'set-up.js');
    await promisify(execFile)(process.execPath, [setUp], {
      env: { ...process.env, LAKE_BUCKET: lake.bucket, LAKE_DATABASE: lake.database },
    });
    return lake;
  }

  async close(): Promise<void> {
    this.#duckdb.closeSync();
    this.#s3.destroy();
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Lands the rows as a sink with one lane does: small sorted files, and their entries. Returns the bytes. */
  async land({ rows, days, batches }: LakeSize, onBatch: (batch: number) => void): Promise<number> {
    await this.#duckdb.run(`CREATE TABLE source AS ${sourceOf(rows, days)}`);
    const lane: LaneId = { table: purchases.table, topic: purchases.topic.name, partition: 0 };
    const perBatch = Math.ceil(rows / batches);
    let prev: string | null = null;
    let total = 0;
    for (let batch = 0; batch < batches; batch += 1) {
      const range = { id: randomUUID(), from: batch * perBatch, to: Math.min((batch + 1) * perBatch, rows) };
      const files: LedgerEntry['files'] = [];
      const puts: Promise<void>[] = [];
      for (let day = 0; day < days; day += 1) {
        const dt = utcDate(firstDay + day * daySeconds);
        const where = `_offset >= ${range.from} AND _offset < ${range.to} AND dt = '${dt}'`;
        const { body, count, seconds } = await this.#parquet(where);
        if (count === 0) continue;
        const key = dataKey(lane, purchases.partitionKey, dt, range);
        puts.push(this.store.put(key, body));
        total += body.byteLength;
        const sha256 = createHash('sha256').update(body).digest('hex');
        files.push({
          key,
          staged: `_staging/${key}`,
          dt,
          rows: count,
          bytes: body.byteLength,
          sha256,
          minTimestamp: seconds[0],
          maxTimestamp: seconds[1],
        });
      }
      await Promise.all(puts);
      await this.store.put(entryKey(lane, range.from), entryBytes(benchEntry(range, prev, files)));
      prev = range.id;
      onBatch(batch + 1);
    }
    return total;
  }

  /** Writes all rows into one file outside of the table, in the declared order or day by day as in the table. Returns its URI. */
  async landSorted(order: 'declared' | 'by-day'): Promise<string> {
    const { body } = await this.#parquet('true', order === 'by-day' ? ['dt'] : []);
    const key = `bench/${order}.parquet`;
    await this.store.put(key, body);
    return `s3://${this.bucket}/${key}`;
  }

  /** Registers the days of landed files in Glue, for engines that find the base there. */
  async register(dts: readonly string[]): Promise<void> {
    const glue = glueClient({}, { endpoint: this.#endpoint, region: process.env['AWS_REGION'] ?? 'us-east-1' });
    try {
      await new GlueCatalog(glue, purchases, this.bucket, undefined, this.database).register(dts);
    } finally {
      glue.destroy();
    }
  }

  /** The files of the Iceberg table's newest commit. */
  async files(): Promise<SnapshotFile[]> {
    const table = new TableFiles({ store: this.store, bucket: this.bucket, stream: purchases });
    const snapshot = await table.newest();
    return snapshot === undefined ? [] : await table.filesIn(snapshot, () => true);
  }

  async #parquet(
    where: string,
    before: readonly string[] = [],
  ): Promise<{ body: Uint8Array; count: number; seconds: readonly [number, number] }> {
    const path = join(this.#folder, 'file.parquet');
    const names = [...purchases.columns, ...hiddenColumns];
    const ids = [...names, { name: purchases.partitionKey, fieldId: partitionKeyFieldId }].map(
      ({ name, fieldId }) => `${name}: ${fieldId}`,
    );
    const columns = [...purchases.columns.map(({ name }) => name), purchases.partitionKey, ...hiddenColumns.map(({ name }) => name)];
    await this.#duckdb.run(
      `COPY (SELECT ${columns.join(', ')} FROM source WHERE ${where} ORDER BY ${[...before, ...purchases.sortColumns, '_offset'].join(', ')})
       TO '${path}' (FORMAT parquet, COMPRESSION zstd, FIELD_IDS {${ids.join(', ')}})`,
    );
    const [row] = (
      await this.#duckdb.runAndReadAll(
        `SELECT count(*)::INTEGER, epoch(min(purchase_timestamp))::INTEGER, epoch(max(purchase_timestamp))::INTEGER FROM source WHERE ${where}`,
      )
    ).getRows();
    const [count, min, max] = row!.map(Number);
    return { body: await readFile(path), count: count!, seconds: [min!, max!] };
  }
}

// 5,000 books, 60,000 buyers and 20 genres. Hashes make everything reproducible except the event ids.
function sourceOf(rows: number, days: number): string {
  return `SELECT uuid()::VARCHAR AS event_id, md5((range % 5000)::VARCHAR) AS book_id, 'Title ' || (range % 5000) AS title,
    'Author ' || (range % 900) AS author, 'Genre ' || (range % 20) AS genre, 'user-' || (hash(range) % 60000) AS user_id,
    ['DE', 'FR', 'US', 'GB'][1 + range % 4] AS user_country, (range % 80)::INTEGER AS user_age,
    make_timestamp((${firstDay} + (range % ${days}) * ${daySeconds} + (range // ${days}) % ${daySeconds}) * 1000000) AS purchase_timestamp,
    strftime(make_timestamp((${firstDay} + (range % ${days}) * ${daySeconds}) * 1000000), '%Y-%m-%d') AS dt,
    0::INTEGER AS _partition, range::BIGINT AS _offset FROM range(${rows})`;
}
