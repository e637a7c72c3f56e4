import { dirname, join } from 'node:path';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';

/** Opens a DuckDB with its extension `iceberg` and access to the local S3. */
export async function openIcebergReader(): Promise<DuckDBConnection> {
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
