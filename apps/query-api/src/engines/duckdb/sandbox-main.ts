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
import { lockTo, NotOneSelect, openInstance, prepareSelect } from './locked-session.ts';
import { memorySignal, resultPipe, rowCharactersMax, rowTooLargeType, type PrepareMessage, type ResultLine, type RunMessage, type SandboxReport } from './sandbox-protocol.ts';

// The process that runs one statement in DuckDB and ends. A statement of DuckDB can hold a thread for minutes without hearing an
// interrupt, and build strings far beyond DuckDB's memory limit: here it harms no one else, and killing it always works.

const memoryCheckMs = 50;
const lineBufferBytes = 64 * 1024;

class RowTooLarge extends Error {}

readTextExactly();

let prepared: Promise<DuckDBConnection> | undefined;
let tempDirectory: string | undefined;

process.on('message', (message: PrepareMessage | RunMessage) => {
  if (message.kind === 'prepare') prepare(message);
  else void run(message);
});
// The worker is gone: nobody wants the answer, and nobody else clears up.
process.on('disconnect', () => {
  if (tempDirectory !== undefined) rmSync(tempDirectory, { recursive: true, force: true });
  endNow('SIGKILL');
});

function prepare(message: PrepareMessage): void {
  tempDirectory = message.tempDirectory;
  const timer = setInterval(() => {
    if (process.memoryUsage.rss() > message.limits.processMemoryMiB * 1024 * 1024) endNow(memorySignal);
  }, memoryCheckMs);
  timer.unref();
  prepared = openInstance(message);
  prepared.then(
    () => report({ kind: 'ready' }),
    (error: unknown) => report({ kind: 'failed', message: error instanceof Error ? error.message : String(error) }),
  );
}

async function run({ sql, parameters, tables }: RunMessage): Promise<void> {
  const pipe = new Socket({ fd: resultPipe });
  // The reader gave up.
  pipe.on('error', () => endNow('SIGKILL'));
  try {
    const connection = await prepared!;
    await lockTo(connection, tables);
    await stream(connection, sql, parameters, pipe);
    pipe.end(line({ done: true }));
  } catch (error) {
    pipe.end(line({ error: errorOf(error) }));
  }
  await once(pipe, 'close');
  process.exit(0);
}

// process.exit() waits for the thread that DuckDB holds, which may be for as long as the statement takes.
function endNow(signal: NodeJS.Signals): void {
  process.kill(process.pid, signal);
}

async function stream(connection: DuckDBConnection, sql: string, parameters: readonly Parameter[], pipe: Socket): Promise<void> {
  const result = await runWith(async () => await prepareSelect(connection, sql), parameters);
  const columns = result.columnNames().map((name, index) => ({ name, type: trinoTypeOf(columnTypeOf(result, index)) }));
  await write(pipe, line({ columns }));
  let buffer = '';
  for await (const chunk of result) {
    const vectors = columns.map((_, index) => chunk.getColumnVector(index));
    for (let row = 0; row < chunk.rowCount; row += 1) {
      const text = JSON.stringify(vectors.map((vector) => cellOf(vector, row)));
      if (text.length > rowCharactersMax) throw new RowTooLarge();
      buffer += `${text}\n`;
      if (buffer.length >= lineBufferBytes) {
        await write(pipe, buffer);
        buffer = '';
      }
    }
  }
  if (buffer !== '') await write(pipe, buffer);
}

function columnTypeOf(result: DuckDBResult, index: number): DuckDBType {
  try {
    return result.columnType(index);
  } catch {
    throw new TypeNotCarried('of an unfinished aggregate');
  }
}

async function write(pipe: Socket, text: string): Promise<void> {
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
