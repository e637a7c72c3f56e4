import { anonymous, type Principal } from '@millrace/runtime';
import { expect, it } from 'vitest';
import { QueryError } from '../errors.ts';
import type { RequestLimits } from '../guards.ts';
import type { CacheAnswer } from './cache/cached-answers.ts';
import type { QueryQueue } from './query-queue.ts';
import type { QueryJobData, QueryRecord } from './query-record.ts';
import { KeptManifests } from '../results/kept-manifests.ts';
import { QueryService } from './query-service.ts';
import { EventStreams } from './progress/event-streams.ts';
import { QueryWaits } from './wait-for-end.ts';

const id = '00000000-0000-4000-8000-000000000000';
const alice: Principal = { kind: 'jwt', issuer: 'https://x', subject: 'alice', scopes: new Set(['queries:run']) };
const data: QueryJobData = {
  sql: 'SELECT 1',
  parameters: [],
  engine: 'duckdb',
  timeoutMs: 1000,
  submittedAt: 0,
  principal: { kind: 'jwt', issuer: 'https://x', subject: 'alice' },
};

/** A service over a queue of one query that runs, and a clock that only waiting moves. */
function service(
  find: () => QueryRecord | Error = () => ({ id, data, state: 'running', progress: undefined, outcome: undefined }),
  answer: CacheAnswer = { result: 'bypass' },
  refusal?: QueryError,
) {
  const asked: [call: string, limits: RequestLimits | undefined][] = [];
  const slept: number[] = [];
  const audited: string[] = [];
  const released: [key: string, id: string][] = [];
  let now = 1000;
  const queue: Pick<QueryQueue, 'find' | 'submit' | 'requestCancel' | 'withPlace'> = {
    find: async (_id, limits, isVisible) => {
      asked.push(['find', limits]);
      const found = find();
      if (found instanceof Error) throw found;
      return isVisible === undefined || isVisible(found.data) ? found : undefined;
    },
    submit: async (_id, _data, limits) => {
      asked.push(['submit', limits]);
      if (refusal !== undefined) throw refusal;
      return true;
    },
    requestCancel: async (_id, limits) => void asked.push(['cancel', limits]),
    withPlace: async (record) => record,
  };
  const queries = new QueryService({
    queue: queue as QueryQueue,
    rules: {
      gate: { check: async () => ({ placeholders: [] }) as never },
      reports: [],
      engines: ['duckdb'],
      defaultEngine: 'duckdb',
      streams: [],
      layouts: { duckdb: 'base', athena: 'base', trino: 'base' },
      timeoutMs: 1000,
    },
    cache: { find: async () => answer, release: async (key, of) => void released.push([key, of]) },
    estimates: {
      of: async () => await Promise.reject(new Error('not asked')),
      refuseAbove: async (max) => {
        if (max < 100) throw new QueryError('scan-limit-exceeded', 'too much');
      },
    },
    onAnswered: () => undefined,
    results: () => ({ get: async () => undefined }),
    manifests: new KeptManifests(0, () => now),
    linkTo: async (key) => `https://s3/${key}`,
    waits: new QueryWaits(10, { watch: () => ({ ended: new AbortController().signal, close: () => undefined }) }),
    changes: { onChange: () => () => undefined },
    streams: new EventStreams(2),
    usage: { count: async () => undefined },
    now: () => now,
    newId: () => id,
    idSecret: async () => 'secret',
    audit: {
      submitted: (of) => void audited.push(`submitted ${of}`),
      cancelRequested: (_record, { subject }) => void audited.push(`cancelled by ${subject}`),
      resultsLinked: ({ id: of }) => void audited.push(`linked ${of}`),
    },
    sleep: async (ms) => {
      slept.push(ms);
      now += ms;
    },
  });
  return { queries, asked, slept, audited, released };
}

it('a refused query gives up its lead, so that no equal query waits for it', async () => {
  const refusal = new QueryError('too-many-requests', 'The budget is used up.');
  const { queries, released } = service(undefined, { result: 'miss', key: 'k' }, refusal);
  await expect(queries.submit({ sql: 'SELECT 1' }, undefined, alice, {})).rejects.toBe(refusal);
  await expect(queries.submit({ sql: 'SELECT 1', maxBytesScanned: 1 }, undefined, alice, {})).rejects.toThrow('too much');
  expect(released).toEqual([
    ['k', id],
    ['k', id],
  ]);
  const taken = service(undefined, { result: 'miss', key: 'k' });
  await taken.queries.submit({ sql: 'SELECT 1' }, undefined, alice, {});
  expect(taken.released).toEqual([]);
});

const limits = (deadline: number): RequestLimits & { readonly signal: AbortSignal } => ({ signal: new AbortController().signal, deadline });

it('a wait ends at the deadline of the waiting caller', async () => {
  const { queries, slept } = service();
  expect((await queries.get(id, 60_000, alice, limits(1300))).state).toBe('running');
  expect(slept.reduce((total, ms) => total + ms, 0)).toBe(300);
});

it('each call to Redis for a request has its limits; a cancel is not taken back when the client disconnects', async () => {
  const { queries, asked } = service();
  const own = limits(5000);
  await queries.submit({ sql: 'SELECT 1' }, undefined, alice, own);
  await queries.cancel(id, alice, own);
  expect(asked).toEqual([
    ['submit', own],
    ['find', own],
    ['cancel', { deadline: 5000 }],
    ['find', own],
  ]);
  expect(asked[1]![1]!.signal).toBe(own.signal);
});

it.each(['unavailable', 'overloaded', 'deadline-exceeded'] as const)(
  'a submitted query is answered as it was when its read fails as %s',
  async (code) => {
    const { queries } = service(() => new QueryError(code, 'no answer'));
    const submitted: QueryRecord = { id, data, state: 'queued', progress: undefined, outcome: undefined };
    expect(await queries.settle(submitted, 1000, alice, limits(5000))).toBe(submitted);
    await expect(queries.get(id, 1000, alice, limits(5000))).rejects.toMatchObject({ code });
  },
);

const ended: QueryRecord = {
  id,
  data,
  state: 'succeeded',
  progress: undefined,
  outcome: { state: 'succeeded', startedAt: 1, finishedAt: 2 },
};

const strangers: readonly [string, Principal][] = [
  ['another subject', { ...alice, subject: 'bob' }],
  ['the same subject of another issuer', { ...alice, issuer: 'https://y' }],
  ['an API key of the same name', { ...alice, kind: 'api-key', issuer: '' }],
];

it.each(strangers)(
  '%s gets for a query the error of an unknown id on every route, does not wait and cancels nothing',
  async (_who, stranger) => {
    const { queries, asked, slept, audited } = service(() => ended);
    const unknown = service(() => new QueryError('not-found', `There is no query ${id}, or it is no longer kept.`)).queries;
    const own = limits(60_000);
    const routes = [
      async (of: QueryService) => await of.get(id, 0, stranger, own),
      async (of: QueryService) => await of.get(id, 30_000, stranger, own),
      async (of: QueryService) => await of.page(id, 'any cursor', 10, stranger, own),
      async (of: QueryService) => await of.whole(id, stranger, own),
      async (of: QueryService) => await of.cancel(id, stranger, own),
    ];
    const told = async (of: QueryService): Promise<unknown[]> =>
      await Promise.all(routes.map(async (route) => await route(of).catch((error: QueryError) => error.toProblem())));
    expect(await told(queries)).toEqual(await told(unknown));
    expect([slept, audited, asked.filter(([call]) => call === 'cancel')]).toEqual([[], [], []]);
  },
);

it('the scope admin sees and cancels the queries of every caller, and the log names who cancelled', async () => {
  const admin: Principal = { kind: 'api-key', issuer: '', subject: 'root', scopes: new Set(['admin']) };
  const { queries, audited } = service();
  expect((await queries.get(id, 0, admin, limits(5000))).state).toBe('running');
  await queries.cancel(id, admin, limits(5000));
  expect(audited).toEqual(['cancelled by root']);
});

it('a query without a principal is visible only to admin and to callers of a service without authentication', async () => {
  const { principal: _principal, ...old } = data;
  const { queries } = service(() => ({ ...ended, data: old }));
  await expect(queries.get(id, 0, alice, limits(5000))).rejects.toMatchObject({ code: 'not-found' });
  await expect(queries.get(id, 0, { ...alice, subject: '' }, limits(5000))).rejects.toMatchObject({ code: 'not-found' });
  expect((await queries.get(id, 0, { ...alice, scopes: new Set(['admin']) }, limits(5000))).id).toBe(id);
  expect((await queries.get(id, 0, anonymous, limits(5000))).id).toBe(id);
});

it('a query that outlasts its wait is cancelled if its caller chose that, and continues otherwise', async () => {
  const submitted: QueryRecord = { id, data, state: 'queued', progress: undefined, outcome: undefined };
  for (const [choice, cancels] of [
    ['continue', 0],
    ['cancel', 1],
  ] as const) {
    const { queries, asked } = service();
    await queries.settle(submitted, 1000, alice, limits(60_000), choice);
    expect(asked.filter(([call]) => call === 'cancel')).toHaveLength(cancels);
  }
});

it('a query whose wait ends with its client is not cancelled', async () => {
  const { queries, asked } = service();
  const submitted: QueryRecord = { id, data, state: 'queued', progress: undefined, outcome: undefined };
  await queries.settle(submitted, 1000, alice, { signal: AbortSignal.abort(), deadline: undefined }, 'cancel');
  expect(asked.filter(([call]) => call === 'cancel')).toEqual([]);
});

it('a query whose estimate is above its own limit is not queued', async () => {
  const { queries, asked } = service();
  await expect(queries.submit({ sql: 'SELECT 1', maxBytesScanned: 99 }, undefined, alice, limits(5000))).rejects.toMatchObject({
    code: 'scan-limit-exceeded',
  });
  expect(asked).toEqual([]);
  await queries.submit({ sql: 'SELECT 1', maxBytesScanned: 100 }, undefined, alice, limits(5000));
  expect(asked.map(([call]) => call)).toEqual(['submit']);
});
