import { expect, it } from 'vitest';
import { QueryError } from '../../errors.ts';
import type { QueryRecord } from '../query-record.ts';
import { eventNumberOf, hasSeenAll, heartbeatMs, queryEvents } from './query-events.ts';

const id = '00000000-0000-4000-8000-000000000000';

function record(state: QueryRecord['state'], more: Partial<QueryRecord> = {}): QueryRecord {
  const final = state === 'succeeded' || state === 'failed' || state === 'cancelled';
  return {
    id,
    data: { sql: 'SELECT 1', parameters: [], engine: 'duckdb', timeoutMs: 1000, submittedAt: 0 },
    state,
    progress: undefined,
    outcome: final ? { state, startedAt: 0, finishedAt: 1 } : undefined,
    ...more,
  };
}

function recordOf(look: QueryRecord['state'] | QueryRecord): QueryRecord {
  return typeof look === 'string' ? record(look) : look;
}

/** Reads a stream whose polls find these states one after the other. Only waits advance its clock. */
async function eventsOf(
  states: readonly (QueryRecord['state'] | QueryRecord | QueryError)[],
  { after = 0, changeMs = 10 } = {},
): Promise<string[]> {
  const [first, ...later] = states;
  const looks = later.values();
  const stop = new AbortController();
  let now = 0;
  const events: string[] = [];
  const stream = queryEvents(recordOf(first as QueryRecord), {
    find: async () => {
      const { value, done } = looks.next();
      if (done === true) stop.abort();
      if (value instanceof QueryError) throw value;
      return recordOf(value ?? 'running');
    },
    after,
    now: () => now,
    untilChanged: async (ms) => void (now += Math.min(ms, changeMs)),
    signal: stop.signal,
  });
  for await (const event of stream)
    events.push(/^id: (\d)$/m.exec(event)?.[1] ?? /"progress":(\{.*?\})/.exec(event)?.[1] ?? event.split(/[:\n]/)[0]!);
  return events;
}

it('a stream has one event for each state, and ends with the last one', async () => {
  expect(await eventsOf(['queued', 'queued', 'running', 'running', 'cancelling', 'cancelled', 'cancelled'])).toEqual([
    'retry',
    '1',
    '2',
    '3',
    '4',
  ]);
});

it('a stream that is opened again continues after the last event', async () => {
  expect(await eventsOf(['running', 'running', 'succeeded'], { after: 2 })).toEqual(['retry', '4']);
});

it('a state that is older than the last event is not sent again', async () => {
  expect(await eventsOf(['running', 'queued', 'failed'])).toEqual(['retry', '2', '4']);
});

it('a new place in the queue and new bytes are events without a number, and nothing is sent twice', async () => {
  const running = { startedAt: 0, executionId: 'a' };
  const read = (bytesScanned: number) => record('running', { progress: { ...running, reading: { phase: 'executing', bytesScanned } } });
  const looks = [
    record('queued', { queuePosition: 2 }),
    record('queued', { queuePosition: 1 }),
    record('queued', { queuePosition: 1 }),
    record('running', { progress: { startedAt: 0 } }),
    record('running', { progress: running }),
    read(10),
    read(10),
    read(20),
    record('succeeded'),
  ];
  expect(await eventsOf(looks)).toEqual([
    'retry',
    '1',
    '{"phase":"waiting","queuePosition":1}',
    '2',
    '{"phase":"executing"}',
    '{"phase":"executing","bytesScanned":10}',
    '{"phase":"executing","bytesScanned":20}',
    '4',
  ]);
});

it('a silent stream has heartbeats', async () => {
  const looks = Array.from({ length: 7 }, () => 'running' as const);
  expect(await eventsOf([...looks, 'succeeded'], { changeMs: heartbeatMs })).toEqual(['retry', '2', '', '', '4']);
});

it('a stream continues after polls without an answer, and ends when the query is no longer kept', async () => {
  const away = new QueryError('unavailable', 'Redis is away');
  expect(await eventsOf(['running', away, 'succeeded'])).toEqual(['retry', '2', '4']);
  expect(await eventsOf(['running', new QueryError('not-found', 'gone'), 'succeeded'])).toEqual(['retry', '2']);
});

it('an unknown Last-Event-ID counts as none', () => {
  expect(['1', '4', '5', 'x', '', undefined].map(eventNumberOf)).toEqual([1, 4, 0, 0, 0, 0]);
  expect([hasSeenAll(record('succeeded'), 4), hasSeenAll(record('succeeded'), 2), hasSeenAll(record('running'), 4)]).toEqual([
    true,
    false,
    false,
  ]);
});
