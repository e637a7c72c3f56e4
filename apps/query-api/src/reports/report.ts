import type { Violation } from '@millrace/contracts';
import type { Parameter } from '../engines/query-engine.ts';
import { QueryError } from '../errors.ts';

/** Properties of every parameter of a report. One without a default must be given. */
interface NamedParameter<T> {
  readonly name: string;
  readonly description: string;
  readonly default?: T;
}

/** A UTC date, `YYYY-MM-DD`, which is also how the partition key is written. */
export type DateParameter = NamedParameter<string> & { readonly type: 'date' };

export type TextParameter = NamedParameter<string> & { readonly type: 'text'; readonly charactersMax: number };

export type IntegerParameter = NamedParameter<number> & { readonly type: 'integer'; readonly minimum: number; readonly maximum: number };

export type ReportParameter = DateParameter | TextParameter | IntegerParameter;

/** A statement under a name, with typed parameters. It is data: `/v1/reports` shows it as it is. */
export interface Report {
  readonly name: string;
  readonly description: string;
  readonly parameters: readonly ReportParameter[];
  /** SQL that every engine shares, with a `?` for each name in `binds`. */
  readonly sql: string;
  /** Names of the parameters in the order of the statement's `?`; a name may come more than once. */
  readonly binds: readonly string[];
}

/**
 * The statement of a report and a value for each of its `?`.
 *
 * @throws QueryError `validation` that names every parameter that is unknown, missing or of the wrong type
 */
export function bindReport(
  report: Report,
  given: Readonly<Record<string, Parameter>>,
): { readonly sql: string; readonly parameters: readonly Parameter[] } {
  const errors: Violation[] = [];
  const values = new Map<string, Parameter>();
  for (const parameter of report.parameters) {
    const value = Object.hasOwn(given, parameter.name) ? given[parameter.name] : parameter.default;
    const problem = value === undefined ? 'is required' : problemOf(parameter, value);
    if (problem !== undefined) errors.push({ field: `parameters.${parameter.name}`, message: problem });
    else if (value !== undefined) values.set(parameter.name, value);
  }
  const known = report.parameters.map(({ name }) => name);
  for (const name of Object.keys(given)) {
    if (!known.includes(name))
      errors.push({
        field: `parameters.${name}`,
        message: `is not a parameter of the report ${report.name}, which has ${known.join(', ') || 'none'}`,
      });
  }
  const [first] = errors;
  if (first !== undefined)
    throw new QueryError('validation', `${first.field} ${first.message}${errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''}.`, {
      errors,
    });
  return { sql: report.sql, parameters: report.binds.map((name) => values.get(name)!) };
}

/** Each default of a report that its own limits refuse, as a sentence without its end. */
export function defaultProblems({ parameters }: Report): string[] {
  return parameters.flatMap((parameter) => {
    const problem = parameter.default === undefined ? undefined : problemOf(parameter, parameter.default);
    return problem === undefined ? [] : [`${parameter.name} ${problem}`];
  });
}

function problemOf(parameter: ReportParameter, value: Parameter): string | undefined {
  switch (parameter.type) {
    case 'date':
      return typeof value === 'string' && isDate(value) ? undefined : 'must be a date, written YYYY-MM-DD';
    case 'text':
      if (typeof value !== 'string' || Array.from(value).length > parameter.charactersMax)
        return `must be a string of at most ${parameter.charactersMax} characters`;
      return value.includes('\0') || !value.isWellFormed() ? 'must not hold NUL or an unpaired surrogate' : undefined;
    case 'integer':
      return Number.isSafeInteger(value) && Number(value) >= parameter.minimum && Number(value) <= parameter.maximum
        ? undefined
        : `must be a whole number from ${parameter.minimum} to ${parameter.maximum}`;
  }
}

// A day that the calendar does not have rolls over into another.
function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const parsed = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(text);
}
