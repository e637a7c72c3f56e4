import {
  reportQueryRequestSchema,
  sqlQueryRequestSchema,
  validatorFor,
  type AwaitedEvent,
  type EngineName,
  type LayoutName,
  type QueryRequest,
  type Stream,
  type Violation,
} from '@millrace/contracts';
import type { Parameter } from '../engines/query-engine.ts';
import { validationError } from '../errors.ts';
import type { AwaitedOffset } from '../layouts/coverage.ts';
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
  readonly streams: readonly Pick<Stream, 'table' | 'topic'>[];
  /** Layout of a query that names none. */
  readonly layouts: Readonly<Record<EngineName, LayoutName>>;
  /** Time limit of a query that sets none, in milliseconds. */
  readonly timeoutMs: number;
}

/**
 * Turns a request into the job that will run it, or throws all violations at once. It has no side effects.
 *
 * @param waitMs time for which the request waits for the end of the query, in milliseconds; 0 when it does not wait
 * @throws QueryError `validation`, `statement-invalid`, `statement-not-allowed`
 */
export async function jobOf(body: unknown, rules: SubmissionRules, now: number, waitMs = 0): Promise<QueryJobData> {
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
  const timeoutMs = request.timeoutMs ?? rules.timeoutMs;
  const waitFor = awaitedOf(request.waitFor, rules.streams);
  return {
    sql: statement.sql,
    parameters: statement.parameters,
    engine,
    layout: request.layout ?? rules.layouts[engine],
    ...(waitFor.length === 0 ? {} : { waitFor, coverBy: now + (waitMs > 0 ? coverMsOf(waitMs) : timeoutMs) }),
    ...('report' in request ? { report: request.report } : {}),
    timeoutMs,
    ...(request.maxBytesScanned === undefined ? {} : { maxBytesScanned: request.maxBytesScanned }),
    submittedAt: now,
  };
}

/**
 * Part of a wait in which events may become readable. The rest of the wait is for the statement, or for the answer that the events are
 * missing.
 */
function coverMsOf(waitMs: number): number {
  return waitMs - Math.min(1000, waitMs / 10);
}

function awaitedOf(waitFor: QueryRequest['waitFor'], streams: SubmissionRules['streams']): AwaitedOffset[] {
  const events: readonly AwaitedEvent[] = waitFor === undefined ? [] : Array.isArray(waitFor) ? waitFor : [waitFor];
  const errors: Violation[] = [];
  const awaited = events.map(({ topic, partition, offset }, index): AwaitedOffset => {
    const field = Array.isArray(waitFor) ? `waitFor[${index}]` : 'waitFor';
    const stream = topic === undefined && streams.length === 1 ? streams[0] : streams.find((known) => known.topic.name === topic);
    if (stream === undefined)
      errors.push({ field: `${field}.topic`, message: `must be one of ${streams.map((known) => known.topic.name).join(', ')}` });
    if (!Number.isSafeInteger(Number(offset))) errors.push({ field: `${field}.offset`, message: 'must be below 2^53' });
    return { table: stream?.table ?? '', partition, offset: Number(offset) };
  });
  if (errors.length > 0) throw validationError(errors);
  return awaited;
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
