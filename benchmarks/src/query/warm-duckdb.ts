import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { purchases } from '@millrace/contracts';

/** A DuckDB that stays warm and reads S3 by itself, with the worker's number of threads. */
export async function openWarmDuckDb(endpoint: string, bucket: string): Promise<DuckDBConnection> {
  const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
  const httpfs = process.env['QUERY_DUCKDB_HTTPFS'];
  await connection.run(httpfs === undefined ? 'INSTALL httpfs; LOAD httpfs' : `LOAD '${httpfs}'`);
  const { host, protocol } = new URL(endpoint);
  const [key, secret] = [process.env['AWS_ACCESS_KEY_ID'] ?? 'bench', process.env['AWS_SECRET_ACCESS_KEY'] ?? 'bench'];
  const region = process.env['AWS_REGION'] ?? 'us-east-1';
  await connection.run(
    `CREATE SECRET (TYPE s3, KEY_ID '${key}', SECRET '${secret}', REGION '${region}', ENDPOINT '${host}', URL_STYLE 'path', USE_SSL ${protocol === 'https:'})`,
  );
  await connection.run(
    `CREATE VIEW ${purchases.table} AS FROM read_parquet('s3://${bucket}/${purchases.table}/${purchases.partitionKey}=*/*.parquet', hive_partitioning = true)`,
  );
  return connection;
}
