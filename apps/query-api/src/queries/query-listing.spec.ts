import type { Principal } from '@millrace/runtime';
import { describe, expect, it } from 'vitest';
import type { IndexedQuery } from './query-index.ts';
import { listLimits, listQueries, listRequestOf, type ListRequest } from './query-listing.ts';
import type { QueryJobData, QueryRecord } from './query-record.ts';

const alice: Principal = { kind: 'jwt', issuer: 'https://x', subject: 'alice', scopes: new Set(['queries:run']) };
const bob: Principal = { ...alice, subject: 'bob' };
const admin: Principal = { ...alice, subject: 'root', scopes: new Set(['admin']) };

/** The query that was submitted at that millisecond. */
function query(submittedAt: number, more: Partial<QueryJobData> = {}, state: QueryRecord['state'] = 'running'): QueryRecord {
  const { kind, issuer, subject } = submittedAt % 2 === 0 ? alice : bob;
  const data: QueryJobData = {
    sql: `SELECT ${submittedAt}`,
    parameters: [],
    engine: 'duckdb',
    timeoutMs: 1000,
    submittedAt,
    principal: { kind, issuer, subject },
    ...more,
  };
  return { id: `query-${submittedAt}`, data, state, progress: undefined, outcome: undefined };
}

/** Lists over records from the newest on, in chunks of three, and counts the queries that were read. */
async function list(records: readonly QueryRecord[], request: Partial<ListRequest>, caller: Principal = admin) {
  const looked: string[] = [];
  const page = await listQueries({ filter: {}, limit: 50, ...request }, caller, {
    async *newest(whose, before, until = Number.POSITIVE_INFINITY) {
      const entries: IndexedQuery[] = records
        .filter(
          ({ data: { principal, submittedAt } }) =>
            (whose === 'all' || whose.subject === principal?.subject) &&
            submittedAt < (before?.submittedAt ?? Number.POSITIVE_INFINITY) &&
            submittedAt <= until,
        )
        .toSorted((a, b) => b.data.submittedAt - a.data.submittedAt)
        .map(({ id, data: { engine, submittedAt } }) => ({ id, engine, submittedAt }));
      for (let at = 0; at < entries.length; at += 3) yield entries.slice(at, at + 3);
    },
    async find({ id }, isWanted) {
      looked.push(id);
      const record = records.find((one) => one.id === id);
      return record !== undefined && isWanted(record.data) ? record : undefined;
    },
  });
  return { ids: page.queries.map(({ id }) => id), page, looked };
}

describe('the list of queries', () => {
  it('the list has the queries of the caller, newest first; admin sees those of all, with their principals', async () => {
    const records = [1, 2, 3, 4].map((at) => query(at));
    expect((await list(records, {}, alice)).ids).toEqual(['query-4', 'query-2']);
    expect((await list(records, {}, bob)).page.queries[0]).not.toHaveProperty('principal');
    const { ids, page } = await list(records, {});
    expect(ids).toEqual(['query-4', 'query-3', 'query-2', 'query-1']);
    expect(page.queries.map(({ principal }) => principal?.subject)).toEqual(['alice', 'bob', 'alice', 'bob']);
    expect(page).not.toHaveProperty('next');
  });

  it('the list leaves out a query that another principal shares an index with', async () => {
    expect((await list([query(1, { principal: { kind: 'api-key', issuer: '', subject: 'alice' } })], {}, alice)).ids).toEqual([]);
  });

  it.each([
    ['state', { state: 'succeeded' }, ['query-6']],
    ['engine', { engine: 'athena' }, ['query-5']],
    ['report', { report: 'sales-by-genre' }, ['query-4']],
    ['text', { text: 'FROM Purchases' }, ['query-3']],
    ['principal', { principal: 'bob' }, ['query-5', 'query-3', 'query-1']],
    ['from', { from: 5 }, ['query-6', 'query-5']],
    ['to', { to: 2 }, ['query-2', 'query-1']],
    ['several conditions', { principal: 'alice', from: 3, to: 5 }, ['query-4']],
  ] as const)('the list is filtered by %s', async (_name, filter, expected) => {
    const records = [
      query(6, {}, 'succeeded'),
      query(5, { engine: 'athena' }),
      query(4, { report: 'sales-by-genre' }),
      query(3, { sql: 'SELECT count(*) from purchases' }),
      query(2),
      query(1),
    ];
    expect((await list(records, { filter })).ids).toEqual(expected);
  });

  it('the pages of the list hold each query once', async () => {
    const records = Array.from({ length: 10 }, (_, at) => query(at + 1));
    const ids: string[] = [];
    let cursor: string | undefined;
    let pages = 0;
    do {
      const { page } = await list(records, listRequestOf({ limit: '4', ...(cursor === undefined ? {} : { cursor }) }));
      ids.push(...page.queries.map(({ id }) => id));
      cursor = page.next;
      pages += 1;
    } while (cursor !== undefined);
    expect(ids).toEqual(records.map(({ id }) => id).toReversed());
    expect(pages).toBe(3);
  });

  it('the list reads a limited number of queries for one page, and the next page continues after them', async () => {
    const records = Array.from({ length: listLimits.scannedMax + 5 }, (_, at) => query(at + 1));
    const { ids, page, looked } = await list(records, { filter: { state: 'failed' } });
    expect([ids, looked.length <= listLimits.scannedMax + 3]).toEqual([[], true]);
    expect((await list(records, listRequestOf({ cursor: page.next! }))).ids).toEqual([
      'query-5',
      'query-4',
      'query-3',
      'query-2',
      'query-1',
    ]);
  });

  it('the list ends at the earliest time and reads no older queries', async () => {
    expect(
      (
        await list(
          [1, 2, 3, 4, 5, 6, 7].map((at) => query(at)),
          { filter: { from: 6 } },
        )
      ).looked,
    ).toEqual(['query-7', 'query-6']);
  });
});

describe('listRequestOf', () => {
  it('the parameters of the list are read', () => {
    expect(
      listRequestOf({
        state: 'failed',
        engine: 'athena',
        report: 'r',
        text: 't',
        principal: 'p',
        from: '2026-11-29T12:00:00Z',
        to: '2026-11-29T13:00:00.5+01:00',
        limit: '7',
      }),
    ).toEqual({
      filter: {
        state: 'failed',
        engine: 'athena',
        report: 'r',
        text: 't',
        principal: 'p',
        from: Date.parse('2026-11-29T12:00:00Z'),
        to: Date.parse('2026-11-29T12:00:00.5Z'),
      },
      limit: 7,
    });
    expect(listRequestOf({})).toEqual({ filter: {}, limit: 50 });
  });

  it.each([
    ['state', 'done'],
    ['engine', 'spark'],
    ['report', ''],
    ['text', 'x'.repeat(201)],
    ['from', 'yesterday'],
    ['from', '2026-11-29T12:00:00'],
    ['to', '2026-13-29T12:00:00Z'],
    ['limit', '0'],
    ['limit', '201'],
    ['cursor', 'e30'],
    ['cursor', 'not base64 of JSON'],
    ['status', 'failed'],
  ])('the wrong parameter %s=%s is named', (field, text) => {
    expect(() => listRequestOf({ [field]: text })).toThrow(
      expect.objectContaining({ code: 'validation', errors: [expect.objectContaining({ field })] }) as Error,
    );
  });

  it('all wrong parameters are named at once', () => {
    expect(() => listRequestOf({ limit: 'x', state: ['failed', 'queued'] })).toThrow(/^state must be one of .* \(and 1 more\)/);
  });
});
