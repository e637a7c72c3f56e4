import { DuckDBInstance, StatementType, type DuckDBConnection, type DuckDBPreparedStatement } from '@duckdb/node-api';
import { retryWaitMs, triesOfRead } from './s3-reads.ts';
import type { PrepareMessage, SandboxTable } from './sandbox-protocol.ts';
import { trinoMacros } from './trino-macros.ts';

/** A statement that is not exactly one SELECT. */
export class NotOneSelect extends Error {
  override readonly name = 'NotOneSelect';
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

/** An instance with httpfs loaded and its limits set, still without tables. */
export async function openInstance({ limits, tempDirectory, httpfsPath, readSeconds }: PrepareMessage): Promise<DuckDBConnection> {
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: `${limits.memoryMiB}MiB`,
    threads: String(limits.threads),
    temp_directory: tempDirectory,
    // Errors then carry their type and position as fields.
    errors_as_json: 'true',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  const connection = await instance.connect();
  // As an option of the instance it is shown, and not kept to.
  await connection.run(`SET max_temp_directory_size = '${limits.tempMiB}MiB'`);
  if (httpfsPath === undefined) await connection.run('INSTALL httpfs');
  await connection.run(`LOAD ${httpfsPath === undefined ? 'httpfs' : text(httpfsPath)}`);
  await connection.run("SET TimeZone = 'UTC'");
  // DuckDB's own retries. The time limit applies to connecting and to each wait for bytes, so that it never ends a long read that makes progress.
  await connection.run(`SET http_timeout = ${readSeconds}; SET http_retries = ${triesOfRead - 1}; SET http_retry_wait_ms = ${retryWaitMs}`);
  // Otherwise DuckDB opens two connections for each file.
  await connection.run('SET httpfs_connection_caching = true');
  return connection;
}

/**
 * Declares the tables, then locks the instance: from here on it can read exactly their files and change no setting.
 *
 * The session holds no secret: no credentials, no address of S3 and no key of a file. The views and the setting
 * `allowed_directories` show URLs that are valid for this run only. DuckDB does not open an in-memory database read-only, so
 * {@link prepareSelect} keeps statements from writing.
 */
export async function lockTo(connection: DuckDBConnection, tables: readonly SandboxTable[]): Promise<void> {
  for (const macro of trinoMacros) await connection.run(`CREATE MACRO ${macro}`);
  for (const table of tables) {
    const qualified = `${name(table.database)}.${name(table.name)}`;
    await connection.run(`CREATE SCHEMA IF NOT EXISTS ${name(table.database)}`);
    await connection.run(`CREATE VIEW ${qualified} AS ${relationOf(table)}`);
    await connection.run(`CREATE VIEW ${name(table.name)} AS FROM ${qualified}`);
  }
  await connection.run(`SET allowed_directories = ${textList(tables.map(({ filesUrl }) => filesUrl))}`);
  await connection.run('SET enable_external_access = false; SET lock_configuration = true');
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

function relationOf({ columns, partitionKey, files }: SandboxTable): string {
  // Only declared columns: the files' hidden ones stay hidden.
  if (files.length > 0) {
    const names = [...columns.map((column) => column.name), partitionKey].map(name).join(', ');
    return `SELECT ${names} FROM read_parquet(${textList(files)}, hive_partitioning = true, hive_types = {${text(partitionKey)}: VARCHAR})`;
  }
  // A file list that matches nothing is an error in DuckDB; a table without files is not.
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
