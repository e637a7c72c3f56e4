import { engineNames, queryStates, type EngineName, type QueryList, type QueryState } from '@millrace/contracts';
import type { Principal, PrincipalId } from '@millrace/runtime';
import { RequestParameters } from '../request-parameters.ts';
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
 * follow: it reads {@link listLimits.scannedMax} queries at most.
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
  const parameters = new RequestParameters(query, ['state', 'engine', 'report', 'text', 'principal', 'from', 'to', 'limit', 'cursor']);
  const filter = {
    state: parameters.oneOf('state', queryStates),
    engine: parameters.oneOf('engine', engineNames),
    report: parameters.text('report', listLimits.textCharactersMax),
    text: parameters.text('text', listLimits.textCharactersMax),
    principal: parameters.text('principal', listLimits.textCharactersMax),
    from: parameters.time('from'),
    to: parameters.time('to'),
  };
  const limit = parameters.wholeNumber('limit', 1, listLimits.max);
  const after = parameters.read('cursor', placeOf, 'must be the "next" of a page of this list');
  parameters.check();
  const given = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)) as QueryFilter;
  return { filter: given, limit: limit ?? listLimits.default, ...(after === undefined ? {} : { after }) };
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
