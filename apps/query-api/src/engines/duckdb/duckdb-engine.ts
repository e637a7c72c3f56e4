import type { Readable } from 'node:stream';
import { AttemptTimeoutError, RejectedError } from '@millrace/resilience';
import { QueryError, QueryStopped, SandboxNotStarted } from '../../errors.ts';
import type { CallGuard } from '../../guards.ts';
import { unanswered } from '../../unanswered.ts';
import { describePosition, offsetOfByte } from '../../statement/source-position.ts';
import type { EngineRequest, EngineResult, QueryEngine, ResultColumn, ResultRow } from '../query-engine.ts';
import { resultLines, rowTooLarge } from './result-lines.ts';
import { rowTooLargeType, type ResultLine, type S3Access, type SandboxTable } from './sandbox-protocol.ts';
import type { Sandbox } from './sandbox.ts';
import { SandboxPool } from './sandbox-pool.ts';
import type { SandboxSettings } from './sandbox.ts';

/** What the engine asks before each run. */
export interface DuckDbSources {
  /** The tables with the files that are in them now. */
  tables(signal: AbortSignal): Promise<readonly SandboxTable[]>;
  /** Credentials may change with time, and looking them up may leave the process. */
  s3Access(signal: AbortSignal): Promise<S3Access>;
}

/** DuckDB embedded in the worker's own machine: each statement in a process of its own that can read the table's files and nothing else. */
export class DuckDbEngine implements QueryEngine {
  readonly name = 'duckdb';
  readonly #pool: SandboxPool;
  readonly #sources: DuckDbSources;
  readonly #guard: CallGuard;

  /** @param guard stands around each statement from its start to its last row */
  constructor(settings: SandboxSettings, sources: DuckDbSources, guard: CallGuard) {
    this.#pool = new SandboxPool(settings);
    this.#sources = sources;
    this.#guard = guard;
  }

  async run({ queryId, statement, parameters, onStarted, signal }: EngineRequest): Promise<EngineResult> {
    const [tables, s3] = await Promise.all([this.#sources.tables(signal), this.#s3Access(signal)]);
    signal.throwIfAborted();
    // Nothing outlives the process, so a successor has nothing to attach to: it runs the statement again. Told before the guard, which is about S3 alone.
    await onStarted(queryId);
    const opened = Promise.withResolvers<EngineResult>();
    const reading = this.#guard({ operation: 'read', idempotent: false, signal }, async (sending) => {
      const ended = Promise.withResolvers<void>();
      const sandbox = await this.#pool.take().catch((error: unknown) => {
        throw new SandboxNotStarted(error);
      });
      const stop = (): void => {
        sandbox.kill();
        // Rows that nobody reads any more end no other way.
        void sandbox.exited.then(() => ended.resolve());
      };
      sending.addEventListener('abort', stop, { once: true });
      if (sending.aborted) stop();
      try {
        const pipe = sandbox.run({ sql: statement.text, parameters, s3, tables });
        opened.resolve(await resultOf(pipe, sandbox, statement.text, signal, ended));
        await ended.promise;
      } finally {
        sending.removeEventListener('abort', stop);
        await sandbox.close();
      }
    });
    reading.catch((error: unknown) => opened.reject(signal.aborted ? signal.reason : refusalOf(error)));
    return await opened.promise;
  }

  async check(): Promise<void> {
    await this.#pool.warm();
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }

  async #s3Access(signal: AbortSignal): Promise<S3Access> {
    try {
      return await this.#sources.s3Access(signal);
    } catch (error) {
      signal.throwIfAborted();
      throw unanswered(error, 'The credentials for S3 cannot be had.');
    }
  }
}

function refusalOf(error: unknown): unknown {
  if (error instanceof SandboxNotStarted) return error.cause;
  if (error instanceof AttemptTimeoutError) return unanswered(error, 'DuckDB did not read S3 within the time that its pipeline allows.');
  return error instanceof RejectedError ? unanswered(error, "DuckDB's reads of S3 fail, and no more are begun for now.") : error;
}

/** @param ended is settled as the reading of the rows ends: at the last one, at an error, or when the reader has enough */
async function resultOf(pipe: Readable, sandbox: Sandbox, sql: string, signal: AbortSignal, ended: PromiseWithResolvers<void>): Promise<EngineResult> {
  const lines = resultLines(pipe);
  let bytesScanned = 0;
  const incomplete = async (): Promise<unknown> => (signal.aborted ? (signal.reason as unknown) : await sandbox.deathReason());
  const next = async (): Promise<IteratorResult<{ control: ResultLine | undefined; rows: readonly ResultRow[] }>> => {
    try {
      return await lines.next();
    } catch (error) {
      throw error instanceof QueryError ? error : await incomplete();
    }
  };
  const first = await next();
  if (first.done === true) throw await incomplete();
  const head = first.value.control!;
  if ('error' in head) throw errorOf(head.error, sql);

  async function* rows(): AsyncGenerator<readonly ResultRow[]> {
    try {
      for (;;) {
        const step = await next();
        if (step.done === true) throw await incomplete();
        const { control, rows: batch } = step.value;
        if (control === undefined) {
          yield batch;
          continue;
        }
        if ('error' in control) throw errorOf(control.error, sql);
        if ('done' in control) bytesScanned = control.done.bytesScanned;
        return;
      }
    } catch (error) {
      ended.reject(error);
      throw error;
    } finally {
      ended.resolve();
    }
  }
  const columns: readonly ResultColumn[] = 'columns' in head ? head.columns : [];
  return { columns, rows: rows(), bytesScanned: () => bytesScanned };
}

function errorOf({ type, message, position }: Extract<ResultLine, { error: unknown }>['error'], sql: string): QueryError | QueryStopped {
  const where = position === undefined ? '' : `${describePosition(sql, offsetOfByte(sql, position))}: `;
  const [what] = message.split('\n');
  const detail = `${where}${what}`;
  switch (type) {
    case 'Binder':
    case 'Catalog':
    case 'Conversion':
    case 'Divide by Zero':
    case 'Invalid Input':
    case 'Invalid Type':
    case 'Mismatch Type':
    case 'Not implemented':
    case 'Out of Range':
    case 'Parameter Not Allowed':
    case 'Parameter Not Resolved':
    case 'Parser':
    case 'Syntax':
      return new QueryError('statement-invalid', `DuckDB refuses the statement: ${detail}`, { errors: [{ field: 'sql', message: detail }] });
    case rowTooLargeType:
      return rowTooLarge();
    case 'Permission':
      return new QueryError('statement-not-allowed', 'The statement reaches for what it may not read.', { cause: new Error(message) });
    case 'Out of Memory':
      return new QueryError('engine-failed', 'The statement needed more memory than it may have. Read fewer rows or columns, or aggregate first.', { cause: new Error(message) });
    case 'HTTP':
    case 'IO':
      return new QueryError('unavailable', 'A file of the table could not be read from S3.', { cause: new Error(message) });
    default:
      return new QueryError('engine-failed', `DuckDB failed: ${detail}`, { cause: new Error(message) });
  }
}
