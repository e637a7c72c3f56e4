import type { ResultColumn, Parameter } from '../query-engine.ts';

/** Limits of one sandbox process. */
export interface SandboxLimits {
  /** DuckDB's own memory limit, in MiB. */
  readonly memoryMiB: number;
  /** Resident memory of the process at which it ends itself, in MiB: strings under construction escape DuckDB's own limit. */
  readonly processMemoryMiB: number;
  readonly threads: number;
  /** Largest size of spilled data on disk, in MiB. */
  readonly tempMiB: number;
}

/** A table as the sandbox sees it: these files and no other. */
export interface SandboxTable {
  readonly database: string;
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly partitionKey: string;
  /** Whether a file may lack columns of `columns`. */
  readonly hasOlderFiles: boolean;
  /** URLs on the loopback interface that only this sandbox can read, while its statement runs. */
  readonly files: readonly string[];
}

/** First message to a sandbox: made ready, and locked, before there is a statement. */
export interface PrepareMessage {
  readonly kind: 'prepare';
  /** Begins the URL of each file. The sandbox may read nothing else. */
  readonly filesUrl: string;
  /** Whether DuckDB caches files for later statements. */
  readonly keepsFiles: boolean;
  readonly limits: SandboxLimits;
  readonly tempDirectory: string;
  /** Path of the httpfs extension, or undefined to install it from DuckDB's repository. */
  readonly httpfsPath: string | undefined;
}

/** Lets a sandbox run one statement, once the one before has ended. It holds neither credentials nor names of the lake's files. */
export interface RunMessage {
  readonly kind: 'run';
  readonly sql: string;
  readonly parameters: readonly Parameter[];
  readonly tables: readonly SandboxTable[];
}

/** Reports of the sandbox over IPC. */
export type SandboxReport = { readonly kind: 'ready' } | { readonly kind: 'failed'; readonly message: string };

/** The end of a statement. */
export interface EndLine {
  /** Whether the sandbox can run another statement: it is as it was before this one, and has memory left. */
  readonly reusable: boolean;
  /** Why the statement failed. */
  readonly error?: { readonly type: string; readonly message: string; readonly position?: number };
}

/** A line of the result pipe that is not a row; a row is a JSON array. */
export type ResultLine = { readonly columns: readonly ResultColumn[] } | { readonly end: EndLine };

/** Longest row, as JSON, in characters: a row is in memory whole, in the sandbox, in the worker and in the API. */
export const rowCharactersMax = 8 * 1024 * 1024;

/** Type of the error of a row that is longer. */
export const rowTooLargeType = 'Row Too Large';

/** File descriptor of the result pipe in the sandbox. */
export const resultPipe = 4;

/** The signal by which a sandbox that used too much memory ends itself. */
export const memorySignal = 'SIGUSR2';

/** DuckDB's types of errors that are the statement's own fault. They change nothing in DuckDB. */
export const statementErrors: ReadonlySet<string> = new Set([
  'Binder',
  'Catalog',
  'Conversion',
  'Divide by Zero',
  'Invalid Input',
  'Invalid Type',
  'Mismatch Type',
  'Not implemented',
  'Out of Range',
  'Parameter Not Allowed',
  'Parameter Not Resolved',
  'Parser',
  'Syntax',
]);
