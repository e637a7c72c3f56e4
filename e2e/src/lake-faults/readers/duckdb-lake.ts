import { dirname, join } from 'node:path';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';

/** A DuckDB with its extension `iceberg` and access to the local S3. It sees each object as it is now. */
export class DuckDbLake {
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection) {
    this.#instance = instance;
    this.#connection = connection;
  }

  static async open(endpoint: string): Promise<DuckDbLake> {
    const httpfs = process.env['QUERY_DUCKDB_HTTPFS'];
    if (httpfs === undefined) throw new Error('QUERY_DUCKDB_HTTPFS is not set');
    const instance = await DuckDBInstance.create(':memory:', { autoinstall_known_extensions: 'false', autoload_known_extensions: 'false' });
    const connection = await instance.connect();
    for (const name of ['httpfs', 'avro', 'iceberg']) await connection.run(`LOAD '${join(dirname(httpfs), `${name}.duckdb_extension`)}'`);
    // The cache would show a deleted file.
    await connection.run('SET enable_external_file_cache = false');
    // A read by path asks twice for the hint, which a commit may change between. Every other object is immutable.
    await connection.run('SET unsafe_disable_etag_checks = true');
    await connection.run("SET threads = 1; SET memory_limit = '512MB'");
    await connection.run(
      `CREATE SECRET (TYPE s3, KEY_ID '${process.env['AWS_ACCESS_KEY_ID']}', SECRET '${process.env['AWS_SECRET_ACCESS_KEY']}',
        REGION 'us-east-1', ENDPOINT '${new URL(endpoint).host}', URL_STYLE 'path', USE_SSL ${endpoint.startsWith('https')})`,
    );
    return new DuckDbLake(instance, connection);
  }

  /** Runs a statement. Integers of 64 bits are text. */
  async rows<Row>(sql: string): Promise<Row[]> {
    return (await this.#connection.runAndReadAll(sql)).getRowObjectsJson() as Row[];
  }

  close(): void {
    this.#connection.closeSync();
    this.#instance.closeSync();
  }
}
