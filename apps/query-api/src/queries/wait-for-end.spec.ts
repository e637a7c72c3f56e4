import { expect, it, vi } from 'vitest';
import type { QueryRecord } from './query-record.ts';
import { QueryWaits } from './wait-for-end.ts';

const data = { sql: 'SELECT 1', parameters: [], engine: 'duckdb', timeoutMs: 1000, submittedAt: 0 } as const;
const at = (state: QueryRecord['state']): QueryRecord => ({ id: 'a', data, state, progress: undefined, outcome: undefined });

/** A read with the given answers in turn, and a clock that only the sleeps advance. */
function looks(
  answers: readonly (QueryRecord | Error | undefined)[],
  waitersMax = 1,
): { looked: () => number; wait: (waitMs: number, signal?: AbortSignal) => Promise<QueryRecord | undefined> } {
  const watched = new AbortController();
  const waits = new QueryWaits(waitersMax, { watch: () => ({ ended: watched.signal, close: () => undefined }) });
  let looked = 0;
  let now = 0;
  const find = async (): Promise<QueryRecord | undefined> => {
    const answer = answers[Math.min(looked, answers.length - 1)];
    looked += 1;
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const sleep = async (ms: number): Promise<void> => void (now += ms);
  return {
    looked: () => looked,
    wait: async (waitMs, signal = new AbortController().signal) =>
      await waits.untilEnded({ id: 'a', find, waitMs, now: () => now, sleep, signal }),
  };
}

it('a wait polls until the query has ended', async () => {
  const { wait, looked } = looks([at('queued'), at('running'), at('succeeded'), at('failed')]);
  expect((await wait(10_000))?.state).toBe('succeeded');
  expect(looked()).toBe(3);
});

it('a wait returns its last read when the time is over', async () => {
  expect((await looks([at('running')]).wait(10_000))?.state).toBe('running');
});

it('a wait continues after a failed poll, unless it is the first', async () => {
  expect((await looks([at('running'), new Error('gone'), new Error('gone'), at('succeeded')]).wait(10_000))?.state).toBe('succeeded');
  await expect(looks([new Error('gone'), at('succeeded')]).wait(10_000)).rejects.toThrow('gone');
});

it('a wait reads once when the limit of waiters is reached', async () => {
  const { wait, looked } = looks([at('running'), at('succeeded')], 0);
  expect((await wait(10_000))?.state).toBe('running');
  expect(looked()).toBe(1);
});

it('a wait ends with the signal', async () => {
  const controller = new AbortController();
  controller.abort();
  expect((await looks([at('running')]).wait(10_000, controller.signal))?.state).toBe('running');
});

it('a wait polls at once when the end is announced, and again when that poll came too early', async () => {
  const ended = new AbortController();
  const closed = vi.fn<() => void>();
  const waits = new QueryWaits(1, { watch: () => ({ ended: ended.signal, close: closed }) });
  const states: QueryRecord['state'][] = ['running', 'running', 'succeeded'];
  const sleeps: boolean[] = [];
  const sleep = async (_ms: number, signal: AbortSignal): Promise<void> => {
    ended.abort();
    sleeps.push(signal.aborted);
  };
  const find = async (): Promise<QueryRecord> => at(states.shift()!);
  const record = await waits.untilEnded({ id: 'a', find, waitMs: 10_000, now: () => 0, sleep, signal: new AbortController().signal });
  expect(record?.state).toBe('succeeded');
  // The first sleep is cut short; the second is not, or it would spin.
  expect(sleeps).toEqual([true, false]);
  expect(closed).toHaveBeenCalledOnce();
});
