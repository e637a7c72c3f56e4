import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { GetTableCommand, UpdateTableCommand } from '@aws-sdk/client-glue';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { purchases, type Stream } from '@millrace/contracts';
import {
  allKeys,
  CommitLog,
  Compaction,
  defaultCompaction,
  GlueCatalog,
  glueClient,
  GluePointer,
  icebergTableName,
  Projection,
  projectionPrefix,
  S3ObjectStore,
  s3Client,
  Sweep,
  type CompactionLimits,
  type SweepSettings,
} from '@millrace/lake';
import { DuckDbRewriter } from '../compaction/duckdb-rewriter.ts';
import { LandedLake } from './landed-lake.ts';

/** A private bucket and database with landed batches, a projection of them, and an independent reader. */
export class ProjectedLake {
  readonly bucket = `projection-${randomUUID()}`;
  readonly stream: Stream = { ...purchases, database: `projection_${randomUUID().replaceAll('-', '_')}` };
  readonly #s3 = s3Client();
  readonly #glue = glueClient();
  readonly store = new S3ObjectStore(this.#s3, this.bucket);
  readonly log = new CommitLog(this.store, this.stream.table);
  landed!: LandedLake;
  #reader!: DuckDBConnection;

  static async open(): Promise<ProjectedLake> {
    const lake = new ProjectedLake();
    await lake.#s3.send(new CreateBucketCommand({ Bucket: lake.bucket }));
    await new GlueCatalog(lake.#glue, lake.stream, lake.bucket).ensureTable();
    lake.landed = await LandedLake.open(lake.store);
    lake.#reader = await openIcebergReader();
    return lake;
  }

  close(): void {
    this.landed.close();
    this.#reader.closeSync();
    this.#s3.destroy();
    this.#glue.destroy();
  }

  /** The Iceberg table in the catalog. */
  get inCatalog(): { readonly database: string; readonly name: string } {
    return { database: this.stream.database, name: icebergTableName(this.stream.table) };
  }

  /** The files of the base, as DuckDB reads them. */
  get base(): string {
    const files = `s3://${this.bucket}/${this.stream.table}/**/*.parquet`;
    return `read_parquet('${files}', hive_partitioning = true, hive_types = {dt: VARCHAR}, union_by_name = true)`;
  }

  /** `s3://…` of the projection's prefix, by which a reader without a catalog opens the table. */
  get location(): string {
    return `s3://${this.bucket}/${projectionPrefix(this.stream.table)}`.slice(0, -1);
  }

  /**
   * @param racing whether another process makes commits at the same time, so that a move of the pointer may come too late
   * @param store that of the projection. Default: the lake's
   */
  projection({ snapshotMs = 3_600_000, racing = false, store = this.store } = {}): Projection {
    return new Projection({
      retention: { snapshotsMax: 100, ageMs: snapshotMs },
      store,
      bucket: this.bucket,
      stream: this.stream,
      catalog: new GluePointer(this.#glue, this.stream, this.location),
      writer: randomUUID(),
      now: Date.now,
      newId: randomUUID,
      rowsOf: async () => 0,
      onPointerFailure: (error) => {
        if (!racing) throw error;
      },
    });
  }

  compaction(projection: Projection, limits: Partial<CompactionLimits> = {}, commitsMax = 256): Compaction {
    const settings = { memoryMbMax: 128, threads: 2, spillMbMax: 512, directory: join(tmpdir(), this.bucket) };
    return new Compaction(projection.table, new DuckDbRewriter(this.store, this.stream, settings), {
      limits: { ...defaultCompaction, ...limits },
      commitsMax,
    });
  }

  sweep(projection: Projection, settings: SweepSettings): Sweep {
    return new Sweep(projection.table, settings);
  }

  /** Keys under a prefix of the bucket. */
  async keys(prefix: string): Promise<string[]> {
    const keys: string[] = [];
    for await (const key of allKeys(this.store, prefix)) keys.push(key);
    return keys;
  }

  /** The metadata file that Glue names. */
  async pointer(): Promise<string> {
    return (await this.#table())['metadata_location']!;
  }

  /** Moves Glue's pointer as another writer would. */
  async pointTo(location: string): Promise<void> {
    const Parameters = { ...(await this.#table()), metadata_location: location };
    const TableInput = { Name: icebergTableName(this.stream.table), Parameters };
    await this.#glue.send(new UpdateTableCommand({ DatabaseName: this.stream.database, TableInput }));
  }

  /** Counts, places, sums per day and a hash over all columns, of the base and of the Iceberg table. */
  async sums(table: string): Promise<{ readonly base: unknown[]; readonly iceberg: unknown[] }> {
    const names = this.stream.columns.map(({ name }) => name);
    const sums = (partition: string, offset: string): string =>
      `dt, count(*) AS n, count(DISTINCT (${partition}, ${offset})) AS places, sum(user_age) AS ages,
       min(purchase_timestamp) AS first, max(purchase_timestamp) AS last, bit_xor(hash(${names.join(', ')}, dt, ${partition}, ${offset})) AS hash`;
    return {
      base: await this.rows(`SELECT ${sums('_partition', '_offset')} FROM ${this.base} GROUP BY dt ORDER BY dt`),
      iceberg: await this.rows(`SELECT ${sums('kafka_partition', 'kafka_offset')} FROM iceberg_scan('${table}') GROUP BY dt ORDER BY dt`),
    };
  }

  /** Rows and distinct places of the Iceberg table. */
  async count(table: string): Promise<{ readonly n: number; readonly places: number }> {
    const [row] = await this.rows(
      `SELECT count(*)::INTEGER AS n, count(DISTINCT (kafka_partition, kafka_offset))::INTEGER AS places FROM iceberg_scan('${table}')`,
    );
    return row as { n: number; places: number };
  }

  /** Runs a statement in DuckDB. */
  async rows(sql: string): Promise<unknown[]> {
    return (await this.#reader.runAndReadAll(sql)).getRowObjectsJson();
  }

  async #table(): Promise<Record<string, string>> {
    const name = icebergTableName(this.stream.table);
    const { Table } = await this.#glue.send(new GetTableCommand({ DatabaseName: this.stream.database, Name: name }));
    return Table!.Parameters!;
  }
}

/** Opens a DuckDB with its extension `iceberg` and access to the local S3. */
async function openIcebergReader(): Promise<DuckDBConnection> {
  const httpfs = process.env['QUERY_DUCKDB_HTTPFS'];
  const endpoint = process.env['AWS_ENDPOINT_URL'];
  if (httpfs === undefined || endpoint === undefined) throw new Error('QUERY_DUCKDB_HTTPFS and AWS_ENDPOINT_URL are not set');
  const instance = await DuckDBInstance.create(':memory:', { autoinstall_known_extensions: 'false', autoload_known_extensions: 'false' });
  const connection = await instance.connect();
  for (const name of ['httpfs', 'avro', 'iceberg']) await connection.run(`LOAD '${join(dirname(httpfs), `${name}.duckdb_extension`)}'`);
  await connection.run(
    `CREATE SECRET (TYPE s3, KEY_ID '${process.env['AWS_ACCESS_KEY_ID']}', SECRET '${process.env['AWS_SECRET_ACCESS_KEY']}',
      REGION 'us-east-1', ENDPOINT '${new URL(endpoint).host}', URL_STYLE 'path', USE_SSL ${endpoint.startsWith('https')})`,
  );
  return connection;
}
