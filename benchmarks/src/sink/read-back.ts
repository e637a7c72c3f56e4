import { DuckDBInstance } from '@duckdb/node-api';
import type { Manifest } from './load-topic.ts';

/** The data files of a run. */
export interface Stored {
  readonly files: number;
  readonly bytes: number;
}

/**
 * Reads every Parquet file under a prefix with a DuckDB, and compares count, sums and distinct ids with those of the load.
 *
 * @throws Error when they differ
 */
export async function readBack(prefix: string, manifest: Manifest, memoryFolder: string): Promise<Stored> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2', memory_limit: '4GB', temp_directory: memoryFolder });
  const connection = await instance.connect();
  try {
    const httpfs = process.env['QUERY_DUCKDB_HTTPFS'];
    await connection.run(httpfs === undefined ? 'INSTALL httpfs; LOAD httpfs' : `LOAD '${httpfs}'`);
    const { host, protocol } = new URL(process.env['AWS_ENDPOINT_URL']!);
    const [key, secret] = [process.env['AWS_ACCESS_KEY_ID'] ?? 'bench', process.env['AWS_SECRET_ACCESS_KEY'] ?? 'bench'];
    await connection.run(
      `CREATE SECRET (TYPE s3, KEY_ID '${key}', SECRET '${secret}', REGION '${process.env['AWS_REGION'] ?? 'us-east-1'}',
       ENDPOINT '${host}', URL_STYLE 'path', USE_SSL ${protocol === 'https:'})`,
    );
    const table = `read_parquet('${prefix}/**/*.parquet', hive_partitioning = false)`;
    const numbersOf = async (sql: string): Promise<number[]> => (await connection.runAndReadAll(sql)).getRows()[0]!.map(Number);
    const found = await numbersOf(
      `SELECT count(*), count(DISTINCT event_id), sum(user_age), sum(epoch(purchase_timestamp)::BIGINT) FROM ${table}`,
    );
    const expected = [manifest.rows, manifest.rows, manifest.ageSum, manifest.timestampSum];
    if (found.some((value, at) => value !== expected[at]))
      throw new Error(`rows, distinct ids, ages and times under ${prefix} are ${found.join(', ')} and not ${expected.join(', ')}`);
    const [files, bytes] = await numbersOf(`SELECT count(*), sum(size) FROM read_blob('${prefix}/**/*.parquet')`);
    return { files: files!, bytes: bytes! };
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
