import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import type { S3Access } from '@millrace/lake';
import { OperationError } from '../errors.ts';
import type { LakeRows } from './open-lake.ts';

/** A lake whose files DuckDB reads. */
export interface DuckTarget {
  readonly lake: Pick<LakeRows, 's3Access'>;
  /** Path of DuckDB's httpfs extension. Default: DuckDB downloads it. */
  readonly httpfsPath?: string | undefined;
}

/** An embedded DuckDB with a folder for its temporary files. */
export class Duck {
  readonly connection: DuckDBConnection;
  readonly #instance: DuckDBInstance;
  readonly #folder: string;

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection, folder: string) {
    this.#instance = instance;
    this.connection = connection;
    this.#folder = folder;
  }

  /**
   * Opens a DuckDB that cannot read S3. The caller closes it.
   *
   * @param memoryMbMax its memory in megabytes at most; larger intermediate results go to its folder
   */
  static async open(memoryMbMax = 1024): Promise<Duck> {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-duckdb-'));
    const instance = await DuckDBInstance.create(':memory:', {
      memory_limit: `${memoryMbMax}MB`,
      threads: '2',
      temp_directory: folder,
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
    });
    return new Duck(instance, await instance.connect(), folder);
  }

  /**
   * Opens a DuckDB that reads the files of a lake. The caller closes it.
   *
   * @param memoryMbMax its memory in megabytes at most
   * @throws OperationError `unavailable` when the httpfs extension can neither be loaded nor be downloaded
   */
  static async openFor({ lake, httpfsPath }: DuckTarget, memoryMbMax?: number): Promise<Duck> {
    const duck = await Duck.open(memoryMbMax);
    try {
      await duck.#readS3(await lake.s3Access(), httpfsPath);
      return duck;
    } catch (error) {
      duck.close();
      throw error;
    }
  }

  async #readS3({ region, accessKeyId, secretAccessKey, sessionToken, endpoint }: S3Access, httpfsPath: string | undefined): Promise<void> {
    try {
      if (httpfsPath === undefined) await this.connection.run('INSTALL httpfs');
      await this.connection.run(httpfsPath === undefined ? 'LOAD httpfs' : `LOAD ${quoted(httpfsPath)}`);
    } catch (error) {
      throw new OperationError(
        'unavailable',
        `DuckDB's httpfs extension cannot be loaded: ${(error as Error).message.split('\n')[0]}. Let QUERY_DUCKDB_HTTPFS name it; ./millrace up fetches it.`,
      );
    }
    const settings: Record<string, string> = { REGION: quoted(region), KEY_ID: quoted(accessKeyId), SECRET: quoted(secretAccessKey) };
    if (sessionToken !== undefined) settings['SESSION_TOKEN'] = quoted(sessionToken);
    if (endpoint !== undefined) {
      const { host, protocol } = new URL(endpoint);
      Object.assign(settings, { ENDPOINT: quoted(host), URL_STYLE: "'path'", USE_SSL: String(protocol === 'https:') });
    }
    await this.connection.run(
      `CREATE SECRET (TYPE s3, ${Object.entries(settings)
        .map(([key, value]) => `${key} ${value}`)
        .join(', ')})`,
    );
  }

  /** Runs a query and returns its rows as plain objects. Aborting the signal interrupts it. */
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

/** Writes a text as an SQL literal. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
