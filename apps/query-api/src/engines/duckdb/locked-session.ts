import { DuckDBInstance, StatementType, type DuckDBConnection, type DuckDBPreparedStatement } from '@duckdb/node-api';
import { requestSecondsMax, retryWaitMs, triesOfRead } from './s3-reads.ts';
import type { PrepareMessage, SandboxTable } from './sandbox-protocol.ts';
import { trinoMacros } from './trino-macros.ts';
import { CodedError } from '@millrace/resilience/coded-error';

/** A statement that is not exactly one SELECT. */
export class NotOneSelect extends CodedError {
  readonly code = 'not-one-select';
  readonly retryable = false;
}

/** DuckDB's types of the catalog's column types. */
const duckdbTypes: Readonly<Record<string, string>> = {
  string: 'VARCHAR',
  int: 'INTEGER',
  bigint: 'BIGINT',
  double: 'DOUBLE',
  boolean: 'BOOLEAN',
  timestamp: 'TIMESTAMP',
};

/**
 * Opens an instance with its limits and locks it: from here on it can read exactly the files below one URL, and change no setting.
 *
 * The session holds no secret: no credentials, no address of S3 and no key of a file. The views and the setting
 * `allowed_directories` show URLs that are valid while a statement of this sandbox runs. DuckDB does not open an in-memory database
 * read-only, so {@link prepareSelect} keeps statements from writing.
 */
export async function openLocked({ limits, tempDirectory, httpfsPath, filesUrl, keepsFiles }: PrepareMessage): Promise<LockedSession> {
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: `${limits.memoryMiB}MiB`,
    threads: String(limits.threads),
    temp_directory: tempDirectory,
    // Errors then carry their type and position as fields.
    errors_as_json: 'true',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    // Otherwise the first read looks for stored secrets, which the lock forbids.
    allow_persistent_secrets: 'false',
  });
  const connection = await instance.connect();
  // As an option of the instance the setting is shown, but not enforced.
  await connection.run(`SET GLOBAL max_temp_directory_size = '${limits.tempMiB}MiB'`);
  if (httpfsPath === undefined) await connection.run('INSTALL httpfs');
  await connection.run(`LOAD ${httpfsPath === undefined ? 'httpfs' : text(httpfsPath)}`);
  await connection.run("SET GLOBAL TimeZone = 'UTC'");
  // DuckDB's own retries. The worker limits the time of each try: DuckDB's limit would also end a long read that makes progress.
  await connection.run(
    `SET GLOBAL http_timeout = ${requestSecondsMax}; SET GLOBAL http_retries = ${triesOfRead - 1}; SET GLOBAL http_retry_wait_ms = ${retryWaitMs}`,
  );
  // Otherwise DuckDB opens two connections for each file.
  await connection.run('SET GLOBAL httpfs_connection_caching = true');
  // Files never change, so DuckDB need not validate its cached copies.
  await connection.run(`SET GLOBAL enable_http_metadata_cache = ${keepsFiles}; SET GLOBAL parquet_metadata_cache = ${keepsFiles}`);
  await connection.run(`SET GLOBAL enable_external_file_cache = ${keepsFiles}; SET GLOBAL validate_external_file_cache = 'NO_VALIDATION'`);
  for (const macro of trinoMacros) await connection.run(`CREATE MACRO ${macro}`);
  await connection.run(`SET GLOBAL allowed_directories = ${textList([filesUrl])}`);
  await connection.run('SET GLOBAL enable_external_access = false; SET GLOBAL lock_configuration = true');
  return await LockedSession.over(instance, connection);
}

/** A locked instance, which runs one statement after the other. */
export class LockedSession {
  readonly #instance: DuckDBInstance;
  /** For statements of the sandbox itself. Each statement gets a new connection. */
  readonly #own: DuckDBConnection;
  readonly #settings: string;
  #declared = '';

  private constructor(instance: DuckDBInstance, own: DuckDBConnection, settings: string) {
    this.#instance = instance;
    this.#own = own;
    this.#settings = settings;
  }

  /** A session over an instance that is locked. */
  static async over(instance: DuckDBInstance, own: DuckDBConnection): Promise<LockedSession> {
    return new LockedSession(instance, own, await settingsOf(own));
  }

  /** Declares the tables that the next statement may name. Declaring the same again costs nothing. */
  async declare(tables: readonly SandboxTable[]): Promise<void> {
    const views = tables.flatMap((table) => {
      const qualified = `${name(table.database)}.${name(table.name)}`;
      return [
        `CREATE SCHEMA IF NOT EXISTS ${name(table.database)}`,
        `CREATE OR REPLACE VIEW ${qualified} AS ${relationOf(table)}`,
        `CREATE OR REPLACE VIEW ${name(table.name)} AS FROM ${qualified}`,
      ];
    });
    const declared = views.join(';\n');
    if (declared === this.#declared) return;
    this.#declared = '';
    for (const view of views) await this.#own.run(view);
    this.#declared = declared;
  }

  /** Opens a connection for one statement; the caller closes it. */
  async connect(): Promise<DuckDBConnection> {
    return await this.#instance.connect();
  }

  /**
   * Whether the settings are as they were before the first statement. A SELECT may call a function of DuckDB that switches on its log. The
   * log would show later statements to a caller that gets past the gate.
   */
  async isUnchanged(): Promise<boolean> {
    return (await settingsOf(this.#own)) === this.#settings;
  }
}

/**
 * Prepares a statement. Only SELECT is prepared: DuckDB allows COPY to write into the directory for temporary files, and CALL to
 * switch on a log.
 *
 * @throws NotOneSelect
 */
export async function prepareSelect(connection: DuckDBConnection, sql: string): Promise<DuckDBPreparedStatement> {
  const statements = await connection.extractStatements(sql);
  if (statements.count !== 1) throw new NotOneSelect(`${statements.count} statements instead of one SELECT`);
  const prepared = await statements.prepare(0);
  if (prepared.statementType !== StatementType.SELECT)
    throw new NotOneSelect(`a statement of type ${StatementType[prepared.statementType]} instead of SELECT`);
  return prepared;
}

async function settingsOf(connection: DuckDBConnection): Promise<string> {
  const sql = "SELECT md5(string_agg(concat(name, '=', value), chr(10) ORDER BY name)) FROM duckdb_settings()";
  return String((await connection.runAndReadAll(sql)).getRows()[0]?.[0]);
}

/** The rows of a table's files. Only declared columns: the files' hidden ones stay hidden. */
export function relationOf(table: SandboxTable): string {
  const { columns, partitionKey, files, hasOlderFiles } = table;
  // A file list that matches nothing is an error in DuckDB; a table without files is not.
  if (files.length === 0) return noRowsOf(table);
  const names = [...columns.map((column) => column.name), partitionKey].map(name).join(', ');
  const read = (options: string): string =>
    `read_parquet(${textList(files)}, hive_partitioning = true, hive_types = {${text(partitionKey)}: VARCHAR}${options})`;
  if (!hasOlderFiles) return `SELECT ${names} FROM ${read('')}`;
  // The empty relation gives the columns that no file has.
  return `SELECT ${names} FROM (${noRowsOf(table)} UNION ALL BY NAME FROM ${read(', union_by_name = true')})`;
}

function noRowsOf({ columns, partitionKey }: SandboxTable): string {
  const nulls = [
    ...columns.map((column) => `NULL::${duckdbTypes[column.type] ?? 'VARCHAR'} AS ${name(column.name)}`),
    `NULL::VARCHAR AS ${name(partitionKey)}`,
  ];
  return `SELECT ${nulls.join(', ')} WHERE false`;
}

function name(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}

function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

function textList(values: readonly string[]): string {
  return `[${values.map(text).join(', ')}]`;
}
