import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { DuckDBInstance } from '@duckdb/node-api';
import { hiddenColumns, purchases, utcDate } from '@millrace/contracts';
import {
  dataKey,
  entryBytes,
  entryKey,
  GlueCatalog,
  GluePointer,
  Projection,
  projectionPrefix,
  S3ObjectStore,
  stagedKey,
  type LedgerEntry,
} from '@millrace/lake';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withoutShedding } from '@millrace/testing';
import { awsClients, type AwsClients } from './aws-clients.ts';

/** One row of the test table; the other columns get plausible values. */
export interface TestPurchase {
  readonly genre: string;
  readonly userId: string;
  readonly userAge: number;
  readonly purchaseTimestamp: number;
  readonly bookId?: string;
  readonly title?: string;
  readonly author?: string;
  readonly userCountry?: string;
}

/** A bucket and a Glue database of a test's own on the real emulator. */
export interface TestLake {
  readonly aws: AwsClients;
  readonly bucket: string;
  readonly database: string;
  readonly store: S3ObjectStore;
  readonly catalog: GlueCatalog;
  /** Writes rows as the sink does, one file per `dt`, and registers the partitions unless `register` is false. */
  land(rows: readonly TestPurchase[], options?: { readonly register?: boolean; readonly name?: string }): Promise<void>;
  /**
   * Lands rows as the next batch of lane 0: entry, files, partitions.
   *
   * @param options `until` stops after a step, as a sink that dies there
   */
  landBatch(rows: readonly TestPurchase[], options?: { readonly until?: 'recorded' | 'published' }): Promise<void>;
  /** A projector of the lake. */
  projection(): Projection;
  close(): Promise<void>;
}

const { TRINO_URL: trinoUrl, MILLRACE_TRINO_MISSING: trinoMissing = 'TRINO_URL is not set' } = process.env;

/** Settings of the parts that integration tests run on. */
export const testParts = {
  endpoint: process.env['AWS_ENDPOINT_URL'] ?? 'http://127.0.0.1:4566',
  region: process.env['AWS_REGION'] ?? 'us-east-1',
  redisUrl: process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379',
  httpfsPath: process.env['QUERY_DUCKDB_HTTPFS'],
  trinoUrl,
  /** Why there is no Trino; undefined where there is one. */
  trinoMissing: trinoUrl === undefined ? trinoMissing : undefined,
};

/** Settings of a service over a test's own lake and queue. */
export function testEnvironment(
  { database, bucket }: Pick<TestLake, 'database' | 'bucket'>,
  more: Record<string, string> = {},
): Record<string, string> {
  return {
    QUERY_QUEUE_NAME: `test-${database}`,
    LAKE_BUCKET: bucket,
    LAKE_DATABASE: database,
    REDIS_URL: testParts.redisUrl,
    AWS_ENDPOINT_URL: testParts.endpoint,
    AWS_REGION: testParts.region,
    QUERY_ATHENA_POLL_MS_MIN: '20',
    QUERY_DUCKDB_PROCESS_MB: '600',
    LOG_LEVEL: 'warn',
    ...withoutShedding('QUERY'),
    // A test lands files and asks at once.
    QUERY_CACHE_STALE_MS_MAX: '0',
    ...(testParts.httpfsPath === undefined ? {} : { QUERY_DUCKDB_HTTPFS: testParts.httpfsPath }),
    ...(process.env['HOME'] === undefined ? {} : { HOME: process.env['HOME'] }),
    ...more,
  };
}

export async function openTestLake(): Promise<TestLake> {
  process.env['AWS_ACCESS_KEY_ID'] ??= 'test';
  process.env['AWS_SECRET_ACCESS_KEY'] ??= 'test';
  const unique = crypto.randomUUID().slice(0, 8);
  const bucket = `query-test-${unique}`;
  const database = `query_test_${unique}`;
  const aws = awsClients({
    region: testParts.region,
    endpoint: testParts.endpoint,
    s3Endpoint: undefined,
    glueEndpoint: undefined,
    athenaEndpoint: undefined,
  });
  await aws.s3.send(new CreateBucketCommand({ Bucket: bucket }));
  const store = new S3ObjectStore(aws.s3, bucket);
  const catalog = new GlueCatalog(aws.glue, purchases, bucket, undefined, database);
  await catalog.ensureTable();
  const lane = { table: purchases.table, topic: purchases.topic.name, partition: 0 };
  let next = 0;
  let head: string | null = null;
  return {
    aws,
    bucket,
    database,
    store,
    catalog,
    async land(rows, { register = true, name = 'p0-0-1-test' } = {}) {
      const days = Map.groupBy(rows, (row) => utcDate(row.purchaseTimestamp));
      for (const [dt, ofDay] of days) await store.put(`purchases/dt=${dt}/${name}.parquet`, await parquetOf(ofDay));
      if (register) await catalog.register([...days.keys()]);
    },
    async landBatch(rows, { until } = {}) {
      const range = { id: crypto.randomUUID(), from: next, to: next + rows.length };
      const prev = head;
      next = range.to;
      head = range.id;
      const files = await Promise.all(
        [...Map.groupBy(rows, (row) => utcDate(row.purchaseTimestamp))].map(async ([dt, ofDay], index) => {
          const key = dataKey(lane, purchases.partitionKey, dt, range);
          const times = ofDay.map(({ purchaseTimestamp }) => purchaseTimestamp);
          return {
            dt,
            key,
            staged: stagedKey(lane.table, range.id, index),
            rows: ofDay.length,
            body: await parquetOf(ofDay, range.from),
            minTimestamp: Math.min(...times),
            maxTimestamp: Math.max(...times),
          };
        }),
      );
      const entry: LedgerEntry = {
        v: 1,
        id: range.id,
        prev,
        kind: 'batch',
        from: range.from,
        to: range.to,
        dropped: [],
        rejected: [],
        absent: [],
        files: files.map(({ body, ...file }) => ({
          ...file,
          bytes: body.byteLength,
          sha256: 'a'.repeat(64),
        })),
        topic: { cluster: 'test' },
        writer: 'test',
        contract: purchases.contract,
      };
      await store.put(entryKey(lane, range.from), entryBytes(entry));
      if (until === 'recorded') return;
      for (const { key, body } of files) await store.put(key, body);
      if (until === 'published') return;
      await catalog.register(files.map(({ dt }) => dt));
    },
    projection() {
      const location = `s3://${bucket}/${projectionPrefix(purchases.table)}`.slice(0, -1);
      return new Projection({
        store,
        bucket,
        stream: purchases,
        catalog: new GluePointer(aws.glue, { ...purchases, database }, location),
        writer: 'test',
        now: Date.now,
        newId: () => crypto.randomUUID(),
        rowsOf: async () => 0,
        onPointerFailure: (error) => {
          throw error;
        },
      });
    },
    async close() {
      aws.destroy();
    },
  };
}

async function parquetOf(rows: readonly TestPurchase[], from = 0): Promise<Uint8Array> {
  const directory = await mkdtemp(join(tmpdir(), 'query-test-'));
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    const values = rows.map((row, index) => {
      const { genre, userId, userAge, purchaseTimestamp, bookId = 'ec437d98-455d-4fec-8dbe-2c2630454bdd' } = row;
      const { title = 'Orlando', author = 'Virginia Woolf', userCountry = 'GB' } = row;
      const texts = [crypto.randomUUID(), bookId, title, author, genre, userId, userCountry].map(
        (text) => `'${text.replaceAll("'", "''")}'`,
      );
      return `(${texts.join(', ')}, ${userAge}, make_timestamp(${purchaseTimestamp}000000), 0, ${from + index})`;
    });
    const names = purchases.columns.map((column) => column.name).join(', ');
    // Readers of Iceberg find columns by their field ids.
    const fieldIds = [...purchases.columns, ...hiddenColumns].map(({ name, fieldId }) => `${name}: ${fieldId}`).join(', ');
    const path = join(directory, 'file.parquet');
    await connection.run(
      `COPY (SELECT ${names}, _partition::INTEGER AS _partition, _offset::BIGINT AS _offset FROM (VALUES ${values.join(', ')}) t(${names}, _partition, _offset)) TO '${path}' (FORMAT parquet, COMPRESSION zstd, FIELD_IDS {${fieldIds}})`,
    );
    return await readFile(path);
  } finally {
    connection.closeSync();
    instance.closeSync();
    await rm(directory, { recursive: true, force: true });
  }
}
