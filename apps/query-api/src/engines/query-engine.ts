import type { EngineName, ResultCell } from '@millrace/contracts';
import type { StatementText } from '../statement/statement-text.ts';
import type { LakeTable } from './duckdb/lake-file.ts';

/** A value bound to a `?`. */
export type Parameter = string | number | boolean | null;

/** One column of a result. */
export interface ResultColumn {
  /** As the statement names it; names may come more than once. */
  readonly name: string;
  /** As Trino names types, in lower case: `varchar`, `bigint`, `decimal(38,0)`, `timestamp(6)`, `array(integer)`, … */
  readonly type: string;
}

/** One row of a result. */
export type ResultRow = readonly ResultCell[];

/** A statement to run. */
export interface EngineRequest {
  /** Identity of the query. An engine that supports it must not run the same id twice. */
  readonly queryId: string;
  /** A statement that the gate let pass. */
  readonly statement: StatementText;
  /** Files of the tables that the statement reads, for DuckDB. Absent: the engine finds those of the base itself. */
  readonly tables?: readonly LakeTable[];
  /** One value per placeholder. */
  readonly parameters: readonly Parameter[];
  /** The execution that a former worker started: the engine attaches to it instead of starting another. */
  readonly executionId: string | undefined;
  /** Name of the caller, for an engine with named users. */
  readonly user?: string;
  /** Bytes that the statement may read from storage, for an engine that can stop it there. */
  readonly bytesScannedMax?: number;
  /** Awaited as soon as the engine has accepted the statement, and again when its id changes, so that a successor can attach. */
  readonly onStarted: (executionId: string) => Promise<void>;
  /** Called once the engine reads, with a function that returns the bytes read so far. Default: nothing is called. */
  readonly onReading?: (bytesScanned: () => number) => void;
  /** Aborted with a {@link QueryStopped}. */
  readonly signal: AbortSignal;
}

/** The answer of an engine. */
export interface EngineResult {
  readonly columns: readonly ResultColumn[];
  /**
   * The rows in order, batch by batch. The engine produces rows only as fast as they are read. Read the rows once, to the end or until the
   * iterator is closed.
   */
  readonly rows: AsyncIterable<readonly ResultRow[]>;
  /** Bytes read from storage; complete once the rows have been read. */
  bytesScanned(): number;
  /** Files that the engine was given. Undefined for an engine that finds them itself. */
  readonly files?: number;
}

/**
 * An engine that runs SQL over the lake. There are three: embedded DuckDB, Athena and Trino.
 *
 * Errors are {@link QueryError}: `statement-invalid` when the statement is at fault, `unavailable` when the engine or its storage
 * cannot be reached, `engine-failed` for the rest. An aborted run throws the signal's reason.
 */
export interface QueryEngine {
  readonly name: EngineName;
  run(request: EngineRequest): Promise<EngineResult>;
  /** Resolves when the engine can accept a statement. */
  check(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
