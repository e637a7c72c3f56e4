import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { purchases } from '@millrace/contracts';
import { readS3 } from '../duckdb/read-s3.ts';

/** A DuckDB that stays warm and reads S3 by itself, with the worker's number of threads. */
export async function openWarmDuckDb(endpoint: string, bucket: string): Promise<DuckDBConnection> {
  const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
  await readS3(connection, endpoint);
  const files = `s3://${bucket}/${purchases.table}/${purchases.partitionKey}=*/*.parquet`;
  await connection.run(`CREATE VIEW ${purchases.table} AS FROM read_parquet('${files}', hive_partitioning = true)`);
  return connection;
}
