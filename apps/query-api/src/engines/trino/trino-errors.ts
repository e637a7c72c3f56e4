import { QueryError } from '../../errors.ts';
import { statementError } from '../../statement/statement-error.ts';
import type { TrinoFailure } from './trino-answer.ts';
import type { TrinoStatement } from './trino-statement.ts';

/** Failures of the cluster that pass by themselves. */
const passing = new Set([
  'CLUSTER_OUT_OF_MEMORY',
  'NO_NODES_AVAILABLE',
  'QUERY_QUEUE_FULL',
  'REMOTE_HOST_GONE',
  'REMOTE_TASK_ERROR',
  'REMOTE_TASK_MISMATCH',
  'SERVER_SHUTTING_DOWN',
  'SERVER_STARTING_UP',
  'TOO_MANY_REQUESTS_FAILED',
]);

/** The error of a statement that was cut off at its limit of bytes. */
export function tooManyBytes(bytesScannedMax: number | undefined): QueryError {
  const limit = bytesScannedMax === undefined ? "Trino's limit of" : bytesScannedMax;
  return new QueryError('engine-failed', `The statement was stopped: it reads more than ${limit} bytes. Read fewer days or columns.`);
}

/** The error of a statement that Trino did not run to its end. */
export function errorOfFailure(failure: TrinoFailure, { column }: TrinoStatement, bytesScannedMax: number | undefined): QueryError {
  const { errorName, errorType, errorLocation: at, message } = failure;
  const cause = new Error(`${errorName}: ${message}`);
  const what = message.replace(/^line \d+:\d+: /, '').split('\n')[0]!;
  if (passing.has(errorName)) return new QueryError('unavailable', `Trino cannot run the statement just now: ${what}`, { cause });
  switch (errorName) {
    case 'USER_CANCELED':
    case 'ADMINISTRATIVELY_KILLED':
    case 'ADMINISTRATIVELY_PREEMPTED':
      return new QueryError('engine-failed', 'The query was cancelled in Trino, not through this API.');
    case 'ABANDONED_QUERY':
      return new QueryError('unavailable', 'Trino gave the query up, because its result was not read in time.', { cause });
    case 'EXCEEDED_SCAN_LIMIT':
      return tooManyBytes(bytesScannedMax);
    case 'PERMISSION_DENIED':
      return statementError('statement-not-allowed', 'Trino does not allow the statement: ', what);
  }
  switch (errorType) {
    case 'USER_ERROR': {
      const position = at === undefined ? undefined : { line: at.lineNumber, column: column(at.lineNumber, at.columnNumber) };
      return statementError('statement-invalid', 'Trino refuses the statement: ', what, { position });
    }
    case 'EXTERNAL':
      return new QueryError('unavailable', 'Trino could not reach the catalog or the files of the table.', { cause });
    case 'INSUFFICIENT_RESOURCES':
      return new QueryError('engine-failed', `The statement needs more than Trino may give it: ${what}`, { cause });
    default:
      return new QueryError('engine-failed', 'Trino failed with an internal error.', { cause });
  }
}
