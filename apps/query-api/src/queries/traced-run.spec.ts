import type { Tracing } from '@millrace/runtime';
import { type Span, trace } from '@opentelemetry/api';
import { expect, it } from 'vitest';
import { QueryStopped } from '../errors.ts';
import type { QueryJobData, QueryOutcome, QueryProgress } from './query-record.ts';
import { tracedRun } from './traced-run.ts';

const spanId = 'b'.repeat(16);
const data: QueryJobData = {
  sql: 'SELECT 1',
  parameters: [],
  engine: 'duckdb',
  timeoutMs: 1000,
  submittedAt: 5000,
  traceparent: `00-${'a'.repeat(32)}-${spanId}-01`,
};
const succeeded: QueryOutcome = {
  state: 'succeeded',
  startedAt: 6000,
  finishedAt: 7000,
  statistics: { rows: 2, bytesScanned: 10, queuedMs: 1000, executionMs: 1000 },
  asOf: [{ table: 'purchases', topic: 'sold', offsets: [7, 9], partitions: '' }],
};

/** Runs one query and returns the calls of its spans, in order. */
async function traced(run: () => Promise<QueryOutcome>, progress?: QueryProgress): Promise<readonly (readonly unknown[])[]> {
  const calls: (readonly unknown[])[] = [];
  const tracing: Tracing = {
    startSpan: (name, { startTime }, parent) => {
      calls.push([name, 'start', startTime, trace.getSpanContext(parent!)?.spanId]);
      return {
        setAttribute: (key: string, value: unknown) => void calls.push([name, { [key]: value }]),
        setAttributes: (attributes: object) => void calls.push([name, attributes]),
        setStatus: ({ code }: { code: number }) => void calls.push([name, `status ${code}`]),
        end: (at?: number) => void calls.push([name, 'end', at]),
      } as unknown as Span;
    },
    startRoot: () => {
      throw new Error('unused');
    },
    contextOf: () => {
      throw new Error('unused');
    },
    close: async () => undefined,
  };
  const query = {
    id: 'q',
    data,
    progress,
    saveProgress: async () => undefined,
    onReading: () => undefined,
    signal: new AbortController().signal,
  };
  await tracedRun(run, tracing, 'queries', () => 6000)(query).catch(() => undefined);
  return calls;
}

it('a query has a span for its wait and one for its run, below the request, with the offsets of its result', async () => {
  expect(await traced(async () => await Promise.resolve(succeeded))).toEqual([
    ['wait for worker', 'start', 5000, spanId],
    ['wait for worker', 'end', 6000],
    ['run query', 'start', undefined, spanId],
    [
      'run query',
      {
        'millrace.query.state': 'succeeded',
        'db.response.returned_rows': 2,
        'millrace.query.scanned_bytes': 10,
        'millrace.query.as_of': ['sold/0:7', 'sold/1:9'],
      },
    ],
    ['run query', 'end', undefined],
  ]);
});

it('a query that another worker began has no second wait', async () => {
  const calls = await traced(async () => await Promise.resolve(succeeded), { startedAt: 5500 });
  expect(calls.map(([name]) => name)).not.toContain('wait for worker');
});

it('a failed query and a query that is handed over end their spans with an error', async () => {
  const failed = await traced(
    async () => await Promise.resolve({ state: 'failed', startedAt: 1, finishedAt: 2, error: { type: 'urn:x', title: 'X', status: 500 } }),
  );
  expect(failed.slice(-3)).toEqual([
    ['run query', { 'error.type': 'urn:x' }],
    ['run query', 'status 2'],
    ['run query', 'end', undefined],
  ]);
  const handedOver = await traced(async () => await Promise.reject(new QueryStopped('handed-over')));
  expect(handedOver.slice(-3)).toEqual([
    ['run query', { 'error.type': 'handed-over' }],
    ['run query', 'status 2'],
    ['run query', 'end', undefined],
  ]);
});
