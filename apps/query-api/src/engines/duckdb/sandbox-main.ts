import { CodedError } from '@millrace/resilience/coded-error';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { Socket } from 'node:net';
import type { DuckDBConnection, DuckDBResult, DuckDBType } from '@duckdb/node-api';
import { duckDbErrorOf, type DuckDbError } from '../../duckdb-error.ts';
import type { Parameter } from '../query-engine.ts';
import { runWith } from './bindings.ts';
import { cellOf } from './duckdb-cells.ts';
import { trinoTypeOf, TypeNotCarried } from './duckdb-types.ts';
import { readTextExactly } from './exact-text.ts';
import { NotOneSelect, openLocked, prepareSelect, type LockedSession } from './locked-session.ts';
import {
  memorySignal,
  resultPipe,
  rowCharactersMax,
  rowTooLargeType,
  statementErrors,
  type EndLine,
  type PrepareMessage,
  type ResultLine,
  type RunMessage,
  type SandboxReport,
} from './sandbox-protocol.ts';

// The process that runs statements in DuckDB, one after the other. A statement of DuckDB can hold a thread for minutes without hearing an
// interrupt. It can also build strings far beyond DuckDB's memory limit. In a process it harms no other statement, and SIGKILL always
// works.

const memoryCheckMs = 50;
const lineBufferBytes = 64 * 1024;
/** Part of the memory limit that a process may hold between statements. */
const idleMemoryRatio = 0.6;

class RowTooLarge extends CodedError {
  readonly code = 'row-too-large';
  readonly retryable = false;
}

readTextExactly();

let prepared: { readonly session: Promise<LockedSession>; readonly memoryBytesMax: number } | undefined;
let tempDirectory: string | undefined;

const pipe = new Socket({ fd: resultPipe });
// The worker gave up.
pipe.on('error', () => endNow('SIGKILL'));

process.on('message', (message: PrepareMessage | RunMessage) => {
  if (message.kind === 'prepare') prepare(message);
  else void run(message);
});
// The worker has ended, so no other process removes the directory.
process.on('disconnect', () => {
  if (tempDirectory !== undefined) rmSync(tempDirectory, { recursive: true, force: true });
  endNow('SIGKILL');
});

function prepare(message: PrepareMessage): void {
  tempDirectory = message.tempDirectory;
  const memoryBytesMax = message.limits.processMemoryMiB * 1024 * 1024;
  const timer = setInterval(() => {
    if (process.memoryUsage.rss() > memoryBytesMax) endNow(memorySignal);
  }, memoryCheckMs);
  timer.unref();
  const session = openLocked(message);
  prepared = { session, memoryBytesMax };
  session.then(
    () => report({ kind: 'ready' }),
    (error: unknown) => report({ kind: 'failed', message: error instanceof Error ? error.message : String(error) }),
  );
}

async function run(message: RunMessage): Promise<void> {
  const { session, memoryBytesMax } = prepared!;
  let end: EndLine;
  try {
    const locked = await session;
    const error = await runIn(locked, message);
    // After any other error the process is replaced.
    const isHarmless = error === undefined || statementErrors.has(error.type);
    const reusable = isHarmless && process.memoryUsage.rss() < memoryBytesMax * idleMemoryRatio && (await locked.isUnchanged());
    end = { reusable, ...(error === undefined ? {} : { error }) };
  } catch (error) {
    end = { reusable: false, error: errorOf(error) };
  }
  await write(line({ end }));
}

/** Runs a statement on a new connection, and returns its error. */
async function runIn(session: LockedSession, { sql, parameters, tables }: RunMessage): Promise<DuckDbError | undefined> {
  await session.declare(tables);
  const connection = await session.connect();
  try {
    await stream(connection, sql, parameters);
    return undefined;
  } catch (error) {
    return errorOf(error);
  } finally {
    connection.closeSync();
  }
}

// process.exit() waits for the thread that DuckDB holds, which may be for as long as the statement takes.
function endNow(signal: NodeJS.Signals): void {
  process.kill(process.pid, signal);
}

async function stream(connection: DuckDBConnection, sql: string, parameters: readonly Parameter[]): Promise<void> {
  const result = await runWith(async () => await prepareSelect(connection, sql), parameters);
  const columns = result.columnNames().map((name, index) => ({ name, type: trinoTypeOf(columnTypeOf(result, index)) }));
  await write(line({ columns }));
  let buffer = '';
  for await (const chunk of result) {
    const vectors = columns.map((_, index) => chunk.getColumnVector(index));
    for (let row = 0; row < chunk.rowCount; row += 1) {
      const text = JSON.stringify(vectors.map((vector) => cellOf(vector, row)));
      if (text.length > rowCharactersMax) throw new RowTooLarge();
      buffer += `${text}\n`;
      if (buffer.length >= lineBufferBytes) {
        await write(buffer);
        buffer = '';
      }
    }
  }
  if (buffer !== '') await write(buffer);
}

function columnTypeOf(result: DuckDBResult, index: number): DuckDBType {
  try {
    return result.columnType(index);
  } catch {
    throw new TypeNotCarried('of an unfinished aggregate');
  }
}

async function write(text: string): Promise<void> {
  if (!pipe.write(text)) await once(pipe, 'drain');
}

function errorOf(error: unknown): DuckDbError {
  if (error instanceof RowTooLarge) return { type: rowTooLargeType, message: error.message };
  if (error instanceof TypeNotCarried) return { type: 'Invalid Type', message: error.message };
  if (error instanceof NotOneSelect) return { type: 'Permission', message: error.message };
  return duckDbErrorOf(error);
}

function line(value: ResultLine): string {
  return `${JSON.stringify(value)}\n`;
}

function report(message: SandboxReport): void {
  process.send?.(message);
}
