import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { OperatorError } from './errors.ts';
import { s3AccessOf } from './open-lake.ts';

/** An embedded DuckDB. Reads S3 once {@link Duck.withS3} was called. */
export class Duck {
  readonly connection: DuckDBConnection;
  readonly #instance: DuckDBInstance;
  readonly #folder: string;

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection, folder: string) {
    this.#instance = instance;
    this.connection = connection;
    this.#folder = folder;
  }

  /** @param memoryMbMax memory it may use, in megabytes; what does not fit goes to a temporary directory */
  static async open(memoryMbMax = 1024): Promise<Duck> {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-duckdb-'));
    const instance = await DuckDBInstance.create(':memory:', { memory_limit: `${memoryMbMax}MB`, threads: '2', temp_directory: folder, autoinstall_known_extensions: 'false', autoload_known_extensions: 'false' });
    return new Duck(instance, await instance.connect(), folder);
  }

  /**
   * Lets it read the environment's S3.
   *
   * @throws OperatorError when the httpfs extension is neither at `QUERY_DUCKDB_HTTPFS` nor to be had
   */
  async withS3(env: Readonly<Record<string, string>>): Promise<this> {
    const path = env['QUERY_DUCKDB_HTTPFS'];
    try {
      if (path === undefined || path === '') await this.connection.run('INSTALL httpfs');
      await this.connection.run(path === undefined || path === '' ? 'LOAD httpfs' : `LOAD ${quoted(path)}`);
    } catch (error) {
      throw new OperatorError(`DuckDB's httpfs extension cannot be loaded: ${(error as Error).message.split('\n')[0]}. Let QUERY_DUCKDB_HTTPFS name it; ./millrace up fetches it.`);
    }
    const { region, accessKeyId, secretAccessKey, sessionToken, endpoint } = await s3AccessOf(env);
    const settings: Record<string, string> = { REGION: quoted(region), KEY_ID: quoted(accessKeyId), SECRET: quoted(secretAccessKey) };
    if (sessionToken !== undefined) settings['SESSION_TOKEN'] = quoted(sessionToken);
    if (endpoint !== undefined) {
      const { host, protocol } = new URL(endpoint);
      Object.assign(settings, { ENDPOINT: quoted(host), URL_STYLE: "'path'", USE_SSL: String(protocol === 'https:') });
    }
    await this.connection.run(`CREATE SECRET (TYPE s3, ${Object.entries(settings).map(([key, value]) => `${key} ${value}`).join(', ')})`);
    return this;
  }

  /** The rows of a query as plain objects. Aborting the signal interrupts it. */
  async rows(sql: string, signal?: AbortSignal): Promise<Record<string, unknown>[]> {
    const interrupt = (): void => this.connection.interrupt();
    signal?.throwIfAborted();
    signal?.addEventListener('abort', interrupt, { once: true });
    try {
      return (await this.connection.runAndReadAll(sql)).getRowObjectsJS();
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener('abort', interrupt);
    }
  }

  close(): void {
    this.connection.closeSync();
    this.#instance.closeSync();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** A text as SQL. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
