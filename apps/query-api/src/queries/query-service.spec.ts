import { expect, it } from 'vitest';
import { QueryError } from '../errors.ts';
import type { RequestLimits } from '../guards.ts';
import type { QueryQueue } from './query-queue.ts';
import type { QueryRecord } from './query-record.ts';
import { QueryService } from './query-service.ts';
import { QueryWaits } from './wait-for-end.ts';

const id = '00000000-0000-4000-8000-000000000000';
const data = { sql: 'SELECT 1', parameters: [], engine: 'duckdb', timeoutMs: 1000, submittedAt: 0 } as const;

/** A service over a queue of one query that runs, and a clock that only waiting moves. */
function service(find: () => QueryRecord | Error = () => ({ id, data, state: 'running', progress: undefined, outcome: undefined })) {
  const asked: [call: string, limits: RequestLimits | undefined][] = [];
  const slept: number[] = [];
  let now = 1000;
  const queue: Pick<QueryQueue, 'find' | 'submit' | 'requestCancel'> = {
    find: async (_id, limits) => {
      asked.push(['find', limits]);
      const found = find();
      if (found instanceof Error) throw found;
      return found;
    },
    submit: async (_id, _data, limits) => {
      asked.push(['submit', limits]);
      return true;
    },
    requestCancel: async (_id, limits) => void asked.push(['cancel', limits]),
  };
  const queries = new QueryService({
    queue: queue as QueryQueue,
    rules: { gate: { check: async () => ({ placeholders: [] }) as never }, reports: [], engines: ['duckdb'], defaultEngine: 'duckdb', timeoutMs: 1000 },
    results: () => ({ get: async () => undefined }),
    waits: new QueryWaits(10),
    usage: { count: async () => undefined },
    now: () => now,
    newId: () => id,
    sleep: async (ms) => {
      slept.push(ms);
      now += ms;
    },
  });
  return { queries, asked, slept };
}

const limits = (deadline: number): RequestLimits & { readonly signal: AbortSignal } => ({ signal: new AbortController().signal, deadline });

it('a wait ends at the deadline of who waits', async () => {
  const { queries, slept } = service();
  expect((await queries.get(id, 60_000, limits(1300))).state).toBe('running');
  expect(slept.reduce((total, ms) => total + ms, 0)).toBe(300);
});

it('each call to Redis on behalf of a request has its limits; asking to cancel is not taken back when the client goes', async () => {
  const { queries, asked } = service();
  const own = limits(5000);
  await queries.submit({ sql: 'SELECT 1' }, undefined, own);
  await queries.cancel(id, own);
  expect(asked).toEqual([['submit', own], ['find', own], ['cancel', { deadline: 5000 }], ['find', own]]);
  expect(asked[1]![1]!.signal).toBe(own.signal);
});

it.each(['unavailable', 'overloaded', 'deadline-exceeded'] as const)('a query that was taken is answered as it was when it cannot be looked at: %s', async (code) => {
  const { queries } = service(() => new QueryError(code, 'no answer'));
  const submitted: QueryRecord = { id, data, state: 'queued', progress: undefined, outcome: undefined };
  expect(await queries.settle(submitted, 1000, limits(5000))).toBe(submitted);
  await expect(queries.get(id, 1000, limits(5000))).rejects.toMatchObject({ code });
});
