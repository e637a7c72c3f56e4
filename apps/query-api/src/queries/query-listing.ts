import { engineNames, queryStates, type EngineName, type QueryList, type QueryState, type Violation } from '@millrace/contracts';
import type { Principal, PrincipalId } from '@millrace/runtime';
import { validationError } from '../errors.ts';
import type { IndexedQuery } from './query-index.ts';
import { maySee, viewOf, type QueryJobData, type QueryRecord } from './query-record.ts';

/** Queries of one page when the caller names no limit, and at most. */
export const listLimits = { default: 50, max: 200, textCharactersMax: 200, scannedMax: 1000 } as const;

/** Conditions on the listed queries. */
export interface QueryFilter {
  readonly state?: QueryState;
  readonly engine?: EngineName;
  readonly report?: string;
  /** Part of the statement, whatever its case. */
  readonly text?: string;
  /** Subject of the principal; for `admin`. */
  readonly principal?: string;
  /** Epoch milliseconds of the earliest submission, inclusive. */
  readonly from?: number;
  /** Epoch milliseconds of the latest submission, inclusive. */
  readonly to?: number;
}

/** A page of the list. */
export interface ListRequest {
  readonly filter: QueryFilter;
  readonly limit: number;
  readonly after?: IndexedQuery;
}

/** Where the list is read. */
export interface ListSources {
  newest(whose: PrincipalId | 'all', before: IndexedQuery | undefined, until: number | undefined): AsyncIterable<readonly IndexedQuery[]>;
  /** The query, or undefined when it is not kept or not wanted. */
  find(query: IndexedQuery, isWanted: (data: QueryJobData) => boolean): Promise<QueryRecord | undefined>;
}

/**
 * Lists queries from the newest on: those of the caller, or of every caller for `admin`. A page may hold fewer than its limit while more
 * follow: it looks at {@link listLimits.scannedMax} queries at most.
 */
export async function listQueries({ filter, limit, after }: ListRequest, caller: Principal, sources: ListSources): Promise<QueryList> {
  const isAdmin = caller.scopes.has('admin');
  const isWanted = (data: QueryJobData): boolean =>
    maySee(caller, data) &&
    (filter.report === undefined || data.report === filter.report) &&
    (filter.text === undefined || data.sql.toLowerCase().includes(filter.text.toLowerCase())) &&
    (filter.principal === undefined || data.principal?.subject === filter.principal);
  const queries: QueryList['queries'][number][] = [];
  let scanned = 0;
  for await (const chunk of sources.newest(isAdmin ? 'all' : caller, after, filter.to)) {
    const candidates = chunk.filter(
      ({ engine, submittedAt }) => (filter.engine === undefined || engine === filter.engine) && submittedAt >= (filter.from ?? 0),
    );
    const records = new Map(await Promise.all(candidates.map(async (query) => [query, await sources.find(query, isWanted)] as const)));
    for (const query of chunk) {
      if (query.submittedAt < (filter.from ?? 0)) return { queries };
      scanned += 1;
      const record = records.get(query);
      if (record !== undefined && (filter.state === undefined || record.state === filter.state)) {
        queries.push({
          ...viewOf(record),
          ...(isAdmin && record.data.principal !== undefined ? { principal: record.data.principal } : {}),
        });
      }
      if (queries.length >= limit || scanned >= listLimits.scannedMax) return { queries, next: cursorOf(query) };
    }
  }
  return { queries };
}

/**
 * Reads a page of the list from a query string.
 *
 * @throws QueryError `validation` that names every parameter that is wrong
 */
export function listRequestOf(query: Readonly<Record<string, string | string[] | undefined>>): ListRequest {
  const errors: Violation[] = [];
  const names = ['state', 'engine', 'report', 'text', 'principal', 'from', 'to', 'limit', 'cursor'];
  for (const name of Object.keys(query))
    if (!names.includes(name)) errors.push({ field: name, message: `is not a parameter of the list; there are ${names.join(', ')}` });
  const read = <T>(field: string, parse: (text: string) => T | undefined, message: string): T | undefined => {
    const text = query[field];
    if (text === undefined) return undefined;
    const value = typeof text === 'string' ? parse(text) : undefined;
    if (value === undefined) errors.push({ field, message });
    return value;
  };
  const shortMessage = `must have 1 to ${listLimits.textCharactersMax} characters`;
  const timeMessage = 'must be a time in ISO 8601 with its zone, such as 2026-11-29T12:00:00Z';
  const filter = {
    state: read('state', oneOf(queryStates), `must be one of ${queryStates.join(', ')}`),
    engine: read('engine', oneOf(engineNames), `must be one of ${engineNames.join(', ')}`),
    report: read('report', shortTextOf, shortMessage),
    text: read('text', shortTextOf, shortMessage),
    principal: read('principal', shortTextOf, shortMessage),
    from: read('from', timeOf, timeMessage),
    to: read('to', timeOf, timeMessage),
  };
  const limit = read(
    'limit',
    (text) => (/^\d{1,3}$/.test(text) && Number(text) >= 1 && Number(text) <= listLimits.max ? Number(text) : undefined),
    `must be a whole number from 1 to ${listLimits.max}`,
  );
  const after = read('cursor', placeOf, 'must be the "next" of a page of this list');
  if (errors.length > 0) throw validationError(errors);
  const given = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)) as QueryFilter;
  return { filter: given, limit: limit ?? listLimits.default, ...(after === undefined ? {} : { after }) };
}

function oneOf<T extends string>(values: readonly T[]): (text: string) => T | undefined {
  return (text) => values.find((value) => value === text);
}

function shortTextOf(text: string): string | undefined {
  return text.length > 0 && text.length <= listLimits.textCharactersMax ? text : undefined;
}

function timeOf(text: string): number | undefined {
  const ms = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}

function cursorOf({ id, engine, submittedAt }: IndexedQuery): string {
  return Buffer.from(JSON.stringify([submittedAt, id, engine])).toString('base64url');
}

function placeOf(cursor: string): IndexedQuery | undefined {
  try {
    const [submittedAt, id, name] = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')) as unknown[];
    const engine = engineNames.find((one) => one === name);
    return Number.isSafeInteger(submittedAt) && typeof id === 'string' && engine !== undefined
      ? { submittedAt: submittedAt as number, id, engine }
      : undefined;
  } catch {
    return undefined;
  }
}
