import type { DuckDBConnection } from '@duckdb/node-api';

/** Lets a DuckDB read S3 at an endpoint by itself, with the credentials of the environment. */
export async function readS3(connection: DuckDBConnection, endpoint: string): Promise<void> {
  const {
    QUERY_DUCKDB_HTTPFS: httpfs,
    AWS_ACCESS_KEY_ID: key = 'bench',
    AWS_SECRET_ACCESS_KEY: secret = 'bench',
    AWS_REGION: region = 'us-east-1',
  } = process.env;
  await connection.run(httpfs === undefined ? 'INSTALL httpfs; LOAD httpfs' : `LOAD '${httpfs}'`);
  const { host, protocol } = new URL(endpoint);
  await connection.run(
    `CREATE SECRET (TYPE s3, KEY_ID '${key}', SECRET '${secret}', REGION '${region}',
     ENDPOINT '${host}', URL_STYLE 'path', USE_SSL ${protocol === 'https:'})`,
  );
}
