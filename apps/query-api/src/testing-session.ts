import type { DuckDBConnection } from '@duckdb/node-api';
import { openLocked } from './engines/duckdb/locked-session.ts';
import type { PrepareMessage, SandboxTable } from './engines/duckdb/sandbox-protocol.ts';

// A process with a locked session, for the test that looks for secrets in it. It runs statements as if there were no gate, and no
// check that they are SELECTs.

/** The message from the test. */
export interface SearchMessage {
  readonly prepare: PrepareMessage;
  readonly tables: readonly SandboxTable[];
  /** Values to call functions with. */
  readonly texts: readonly string[];
  /** Statements to run besides those that the session itself suggests. */
  readonly statements: readonly string[];
}

/** A statement and everything that it showed: rows, or an error. */
export interface Shown {
  readonly sql: string;
  readonly output: string;
  readonly failed: boolean;
}

const statementMsMax = 2000;
const outputCharactersMax = 2_000_000;
/** They wait, or make as much as a number says. */
const skipped = new Set(['sleep_ms', 'pg_sleep', 'repeat', 'repeat_row', 'range', 'generate_series', 'query', 'seq_scan']);

process.on('message', (message: SearchMessage) => {
  void search(message).then((shown) => process.send!(shown, () => process.exit(0)));
});
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));

async function search({ prepare, tables, texts, statements }: SearchMessage): Promise<Shown[]> {
  const session = await openLocked(prepare);
  await session.declare(tables);
  const connection = await session.connect();
  const shown: Shown[] = [];
  for (const sql of statements) shown.push(await show(connection, sql));
  for (const sql of await suggested(connection, texts)) shown.push(await show(connection, sql));
  // Once more, should one of them have switched something on.
  for (const sql of statements) shown.push(await show(connection, sql));
  return shown;
}

/** Every view, table function, scalar function, setting and pragma that the session knows of. */
async function suggested(connection: DuckDBConnection, texts: readonly string[]): Promise<string[]> {
  const names = async (sql: string): Promise<string[]> => (await connection.runAndReadAll(sql)).getRows().map(([name]) => String(name));
  const literals = texts.map((text) => `'${text.replaceAll("'", "''")}'`);
  const views = await names(`SELECT DISTINCT concat('"', database_name, '"."', schema_name, '"."', view_name, '"') FROM duckdb_views()`);
  const settings = await names('SELECT name FROM duckdb_settings()');
  const ofType = async (types: string): Promise<string[]> =>
    (
      await names(
        `SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type IN (${types}) AND regexp_full_match(function_name, '\\w+')`,
      )
    ).filter((name) => !skipped.has(name));
  const tableFunctions = await ofType("'table', 'table_macro'");
  const scalarFunctions = await ofType("'scalar', 'macro'");
  const pragmas = await ofType("'pragma'");
  return [
    ...views.map((view) => `SELECT * FROM ${view}`),
    ...settings.map((setting) => `SELECT current_setting('${setting}')`),
    ...tableFunctions.flatMap((name) => ['', ...literals].map((argument) => `SELECT * FROM ${name}(${argument})`)),
    ...scalarFunctions.flatMap((name) => ['', literals[0] ?? "''"].map((argument) => `SELECT ${name}(${argument})`)),
    ...pragmas.flatMap((name) => ['', ...literals].map((argument) => `PRAGMA ${name}${argument === '' ? '' : `(${argument})`}`)),
  ];
}

async function show(connection: DuckDBConnection, sql: string): Promise<Shown> {
  const timer = setTimeout(() => connection.interrupt(), statementMsMax);
  try {
    const rows = (await connection.runAndReadUntil(sql, 10_000)).getRowsJson();
    return { sql, output: JSON.stringify(rows).slice(0, outputCharactersMax), failed: false };
  } catch (error) {
    return { sql, output: String(error), failed: true };
  } finally {
    clearTimeout(timer);
  }
}
