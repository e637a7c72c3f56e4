import {
  reportQueryRequestSchema,
  sqlQueryRequestSchema,
  validatorFor,
  type EngineName,
  type QueryRequest,
  type Violation,
} from '@millrace/contracts';
import type { Parameter } from '../engines/query-engine.ts';
import { validationError } from '../errors.ts';
import { bindReport, type Report } from '../reports/report.ts';
import type { StatementGate } from '../statement/statement-gate.ts';
import type { QueryJobData } from './query-record.ts';

const sqlRequest = validatorFor(sqlQueryRequestSchema);
const reportRequest = validatorFor(reportQueryRequestSchema);

/** Rules for a submission. */
export interface SubmissionRules {
  readonly gate: Pick<StatementGate, 'check'>;
  readonly reports: readonly Report[];
  readonly engines: readonly EngineName[];
  readonly defaultEngine: EngineName;
  /** Time a query may run when it asks for none, in milliseconds. */
  readonly timeoutMs: number;
}

/**
 * Turns a request into the job that will run it, or says everything that is wrong with it. Nothing has happened yet when it throws.
 *
 * @throws QueryError `validation`, `statement-invalid`, `statement-not-allowed`
 */
export async function jobOf(body: unknown, rules: SubmissionRules, now: number): Promise<QueryJobData> {
  const request = requestOf(body);
  const engine = request.engine ?? rules.defaultEngine;
  if (!rules.engines.includes(engine)) throw validationError([{ field: 'engine', message: `must be one of ${rules.engines.join(', ')}` }]);
  const statement =
    'report' in request
      ? reportStatement(request.report, request.parameters ?? {}, rules.reports)
      : { sql: request.sql, parameters: request.parameters ?? [] };
  checkValues(statement.parameters);
  const { placeholders } = await rules.gate.check(statement.sql);
  if (placeholders.length !== statement.parameters.length) {
    throw validationError([
      {
        field: 'parameters',
        message: `must have one value for each ? of the statement: ${placeholders.length}, not ${statement.parameters.length}`,
      },
    ]);
  }
  return {
    sql: statement.sql,
    parameters: statement.parameters,
    engine,
    ...('report' in request ? { report: request.report } : {}),
    timeoutMs: request.timeoutMs ?? rules.timeoutMs,
    ...(request.maxBytesScanned === undefined ? {} : { maxBytesScanned: request.maxBytesScanned }),
    submittedAt: now,
  };
}

function requestOf(body: unknown): QueryRequest {
  if (typeof body === 'object' && body !== null && !Array.isArray(body) && !('sql' in body) && !('report' in body)) {
    throw validationError([{ field: 'sql', message: 'is required, unless there is a report' }]);
  }
  const validator = typeof body === 'object' && body !== null && 'report' in body ? reportRequest : sqlRequest;
  if (!validator.check(body)) throw validationError(validator.violations(body));
  return body;
}

function reportStatement(
  name: string,
  parameters: Readonly<Record<string, Parameter>>,
  reports: readonly Report[],
): { sql: string; parameters: readonly Parameter[] } {
  const report = reports.find((candidate) => candidate.name === name);
  if (report === undefined)
    throw validationError([{ field: 'report', message: `must be one of ${reports.map((known) => known.name).join(', ')}` }]);
  return bindReport(report, parameters);
}

function checkValues(parameters: readonly Parameter[]): void {
  const errors = parameters.flatMap((value, index): Violation[] => {
    const field = `parameters[${index}]`;
    if (typeof value === 'string' && (value.includes('\0') || !value.isWellFormed()))
      return [{ field, message: 'must not hold NUL or an unpaired surrogate' }];
    // JSON's number has already lost digits here.
    if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value))
      return [{ field, message: 'is a whole number beyond 2^53; send it as a string and CAST(? AS BIGINT) or CAST(? AS DOUBLE)' }];
    return [];
  });
  if (errors.length > 0) throw validationError(errors);
}
