import { DuckDBInstance } from '@duckdb/node-api';
import { readS3 } from '../duckdb/read-s3.ts';
import type { Manifest } from './load-topic.ts';

/** The data files of a run. */
export interface Stored {
  readonly files: number;
  readonly bytes: number;
}

/**
 * Reads Parquet files with a DuckDB, and compares count, sums and distinct ids with those of the load.
 *
 * @param files a pattern that names them
 * @throws Error when they differ
 */
export async function readBack(files: string, manifest: Manifest, memoryFolder: string): Promise<Stored> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2', memory_limit: '4GB', temp_directory: memoryFolder });
  const connection = await instance.connect();
  try {
    await readS3(connection, process.env['AWS_ENDPOINT_URL']!);
    const table = `read_parquet('${files}', hive_partitioning = false)`;
    const numbersOf = async (sql: string): Promise<bigint[]> =>
      (await connection.runAndReadAll(sql)).getRows()[0]!.map((value) => BigInt(String(value)));
    const found = await numbersOf(
      `SELECT count(*), count(DISTINCT event_id), sum(user_age), sum(epoch(purchase_timestamp)::BIGINT) FROM ${table}`,
    );
    const expected = [manifest.rows, manifest.rows, manifest.ageSum, manifest.timestampSum].map(BigInt);
    if (found.some((value, at) => value !== expected[at]))
      throw new Error(`rows, distinct ids, ages and times of ${files} are ${found.join(', ')} and not ${expected.join(', ')}`);
    const [count, bytes] = await numbersOf(`SELECT count(*), sum(size) FROM read_blob('${files}')`);
    return { files: Number(count), bytes: Number(bytes) };
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
