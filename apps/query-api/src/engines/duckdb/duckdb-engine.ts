import type { Readable } from 'node:stream';
import { AttemptTimeoutError, RejectedError } from '@millrace/resilience';
import { QueryError, SandboxNotStarted } from '../../errors.ts';
import type { CallGuard } from '../../guards.ts';
import { unanswered } from '../../unanswered.ts';
import { duckDbTextOf, refuseMissing } from '../../statement/duckdb-dialect.ts';
import { offsetOfByte, positionOf, textOfPosition, type SourcePosition } from '../../statement/source-position.ts';
import { statementError } from '../../statement/statement-error.ts';
import type { EngineRequest, EngineResult, QueryEngine, ResultRow } from '../query-engine.ts';
import { FileReads, type FileReadSettings, type ReadRange } from './file-reads.ts';
import { FileServer, type FileGrant } from './file-server.ts';
import type { LakeTable } from './lake-file.ts';
import { resultLines, rowTooLarge } from './result-lines.ts';
import { rowTooLargeType, statementErrors, type EndLine, type ResultLine, type SandboxTable } from './sandbox-protocol.ts';
import type { Sandbox } from './sandbox.ts';
import { SandboxPool } from './sandbox-pool.ts';
import type { SandboxSettings } from './sandbox.ts';

/** Where the engine finds the lake. */
export interface DuckDbSources {
  /** The tables that a statement reads, with the files that it may need. */
  tables(request: Pick<EngineRequest, 'statement' | 'parameters' | 'signal'>): Promise<readonly LakeTable[]>;
  /** Reads a part of a file from S3. */
  readonly readRange: ReadRange;
  close(): Promise<void>;
}

/** Settings of {@link DuckDbEngine}. */
export type DuckDbSettings = SandboxSettings & FileReadSettings;

/**
 * DuckDB embedded in the worker's host. Statements run in locked processes that can read the table's files and nothing else, one
 * statement at a time in each.
 */
export class DuckDbEngine implements QueryEngine {
  readonly name = 'duckdb';
  readonly #pool: SandboxPool;
  readonly #sources: DuckDbSources;
  readonly #guard: CallGuard;
  readonly #reads: FileReads;
  #server: Promise<FileServer> | undefined;

  /** @param guard surrounds each statement from its start to its last row */
  constructor(settings: DuckDbSettings, sources: DuckDbSources, guard: CallGuard) {
    this.#pool = new SandboxPool(settings, async () => (await this.#fileServer()).lease());
    this.#sources = sources;
    this.#guard = guard;
    this.#reads = new FileReads(sources.readRange, settings);
  }

  async run({ queryId, statement, parameters, onStarted, onReading, signal, tables: given }: EngineRequest): Promise<EngineResult> {
    refuseMissing(statement);
    const { text, originalOffset } = duckDbTextOf(statement);
    const place = (byteOffset: number): SourcePosition => positionOf(statement.text, originalOffset(offsetOfByte(text, byteOffset)));
    const tables = given ?? (await this.#sources.tables({ statement, parameters, signal }));
    signal.throwIfAborted();
    // Nothing outlives the sandbox, so a successor has nothing to attach to: it runs the statement again. It is reported before the guard,
    // which covers only S3.
    await onStarted(queryId);
    const opened = Promise.withResolvers<EngineResult>();
    const reading = this.#guard({ operation: 'read', idempotent: false, signal }, async (sending) => {
      const ended = Promise.withResolvers<void>();
      const sandbox = await this.#pool.take().catch((error: unknown) => {
        throw new SandboxNotStarted(error);
      });
      const grants: FileGrant[] = [];
      const stop = (): void => {
        sandbox.kill();
        // Nothing else ends rows without a reader.
        void sandbox.exited.then(() => ended.resolve());
      };
      sending.addEventListener('abort', stop, { once: true });
      if (sending.aborted) stop();
      let reusable = false;
      try {
        const granted = tables.map((table): SandboxTable => {
          const grant = sandbox.grant(table.partitionKey, table.files);
          grants.push(grant);
          return { ...table, files: grant.files };
        });
        onReading?.(() => bytesSentOf(grants));
        const pipe = sandbox.run({ sql: text, parameters, tables: granted });
        const onEnd = (end: EndLine): void => void (reusable = end.reusable);
        const result = await resultOf({ pipe, sandbox, grants, place, signal, ended, onEnd });
        opened.resolve({ ...result, files: tables.reduce((sum, { files }) => sum + files.length, 0) });
        await ended.promise;
      } finally {
        sending.removeEventListener('abort', stop);
        for (const grant of grants) grant.revoke();
        if (reusable) this.#pool.give(sandbox);
        else await sandbox.close();
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
    await (await this.#server)?.close();
    await this.#sources.close();
  }

  async #fileServer(): Promise<FileServer> {
    this.#server ??= FileServer.open(this.#reads);
    try {
      return await this.#server;
    } catch (error) {
      this.#server = undefined;
      throw new SandboxNotStarted(error);
    }
  }
}

function refusalOf(error: unknown): unknown {
  if (error instanceof SandboxNotStarted) return error.cause;
  if (error instanceof AttemptTimeoutError) return unanswered(error, 'DuckDB did not read S3 within the time that its pipeline allows.');
  return error instanceof RejectedError ? unanswered(error, "DuckDB's reads of S3 fail, and no more are begun for now.") : error;
}

/** A statement that runs in a sandbox. */
interface Running {
  readonly pipe: Readable;
  readonly sandbox: Sandbox;
  /** The files that the sandbox may read. */
  readonly grants: readonly FileGrant[];
  /** Line and column in the statement, from a byte offset in the text that DuckDB runs. */
  readonly place: (byteOffset: number) => SourcePosition;
  readonly signal: AbortSignal;
  /** Settled when the reading of the rows ends: at the last row, at an error, or when the reader has enough. */
  readonly ended: PromiseWithResolvers<void>;
  /** Called with the end of the statement, before the reader gets it. */
  readonly onEnd: (end: EndLine) => void;
}

async function resultOf({ pipe, sandbox, grants, place, signal, ended, onEnd }: Running): Promise<EngineResult> {
  const lines = resultLines(pipe);
  const incomplete = async (): Promise<unknown> => (signal.aborted ? (signal.reason as unknown) : await sandbox.deathReason());
  const next = async (): Promise<IteratorResult<{ control: ResultLine | undefined; rows: readonly ResultRow[] }>> => {
    try {
      return await lines.next();
    } catch (error) {
      throw error instanceof QueryError ? error : await incomplete();
    }
  };
  const endOf = async (end: EndLine): Promise<void> => {
    // Leaves the pipe to the next statement.
    await lines.return(undefined);
    onEnd(end);
    if (end.error !== undefined) throw errorOf(end.error, place, grants);
  };
  const first = await next();
  if (first.done === true) throw await incomplete();
  const head = first.value.control!;
  if ('end' in head) {
    await endOf(head.end);
    throw new TypeError('The sandbox ended a statement without its columns.');
  }

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
        if ('end' in control) return await endOf(control.end);
      }
    } catch (error) {
      ended.reject(error);
      throw error;
    } finally {
      ended.resolve();
    }
  }
  return { columns: head.columns, rows: rows(), bytesScanned: () => bytesSentOf(grants) };
}

function bytesSentOf(grants: readonly FileGrant[]): number {
  return grants.reduce((sum, grant) => sum + grant.bytesSent(), 0);
}

/** The reason of the last failed read from S3. DuckDB does not have it. */
function failureOf(grants: readonly FileGrant[]): unknown {
  return grants.map((grant) => grant.failure()).find((failure) => failure !== undefined);
}

function errorOf(
  { type, message, position: byteOffset }: NonNullable<EndLine['error']>,
  place: Running['place'],
  grants: readonly FileGrant[],
): QueryError {
  const position = byteOffset === undefined ? undefined : place(byteOffset);
  const what = message.split('\n')[0]!;
  if (statementErrors.has(type)) return statementError('statement-invalid', 'DuckDB refuses the statement: ', what, { position });
  switch (type) {
    case rowTooLargeType:
      return rowTooLarge();
    case 'Permission':
      return new QueryError('statement-not-allowed', 'The statement reads something that it may not read.', { cause: new Error(message) });
    case 'Out of Memory':
      return new QueryError(
        'engine-failed',
        'The statement needed more memory than it may have. Read fewer rows or columns, or aggregate first.',
        { cause: new Error(message) },
      );
    case 'HTTP':
    case 'IO':
      return new QueryError('unavailable', 'A file of the table could not be read from S3.', {
        cause: failureOf(grants) ?? new Error(message),
      });
    default:
      return new QueryError('engine-failed', `DuckDB failed: ${position === undefined ? '' : `${textOfPosition(position)}: `}${what}`, {
        cause: new Error(message),
      });
  }
}
