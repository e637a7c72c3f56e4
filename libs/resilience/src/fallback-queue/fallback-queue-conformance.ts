import { deepStrictEqual, ok, rejects, strictEqual } from 'node:assert/strict';
import type { FallbackQueue, QueueEntry } from './fallback-queue.ts';

/** A queue under test. */
export interface QueueUnderTest {
  readonly queue: FallbackQueue;
  /** Opens another adapter on the same stored entries, like a process after a restart. */
  readonly reopen: () => Promise<FallbackQueue>;
  /** Releases all resources. */
  readonly close: () => Promise<void>;
}

/** One promise of every {@link FallbackQueue}. */
export interface ConformanceCheck {
  /** The promise as the name of a test. */
  readonly name: string;
  /** @throws AssertionError when the queue breaks the promise */
  readonly run: () => Promise<void>;
}

/**
 * Conformance suite for adapters of {@link FallbackQueue}. It works with any test runner.
 *
 * @example
 * ```ts
 * for (const { name, run } of fallbackQueueConformance(createQueueUnderTest)) it(name, run);
 * ```
 * @param make Creates an empty queue that holds at most `entriesMax` entries.
 */
export function fallbackQueueConformance(
  make: (limits: { readonly entriesMax: number }) => Promise<QueueUnderTest>,
): readonly ConformanceCheck[] {
  return Object.entries(promises).map(([name, check]) => ({
    name,
    run: async () => {
      const subject = await make({ entriesMax: 4 });
      try {
        await check(subject);
      } finally {
        await subject.close();
      }
    },
  }));
}

const { signal } = new AbortController();

const entry = (id: string, key: string, item: unknown = { id }): QueueEntry => ({ id, key, item });

/** Replays the queue. Returns the ids of the run entries in order, and the summary. */
async function pass(
  queue: FallbackQueue,
  fails: (entry: QueueEntry) => boolean = () => false,
): Promise<{ readonly ids: readonly string[]; readonly replayed: number; readonly kept: number }> {
  const ids: string[] = [];
  const summary = await queue.replay(
    async (given) => {
      ids.push(given.id);
      if (fails(given)) throw new Error('the work failed');
    },
    { signal },
  );
  return { ids, ...summary };
}

const promises: Readonly<Record<string, (subject: QueueUnderTest) => Promise<void>>> = {
  'replay returns an entry unchanged': async ({ queue }) => {
    const put = entry('1', 'a', { text: 'ü', list: [1, null], nested: { yes: true } });
    await queue.put(put, { signal });
    const seen: QueueEntry[] = [];
    await queue.replay(async (given) => void seen.push(given), { signal });
    deepStrictEqual(seen, [put]);
  },

  'replay keeps the order of the entries of a key': async ({ queue }) => {
    for (const id of ['1', '2', '3']) await queue.put(entry(id, 'a'), { signal });
    deepStrictEqual(await pass(queue), { ids: ['1', '2', '3'], replayed: 3, kept: 0 });
  },

  'replay never runs two entries of a key concurrently': async ({ queue }) => {
    for (const id of ['1', '2', '3']) await queue.put(entry(id, 'a'), { signal });
    let running = 0;
    let most = 0;
    await queue.replay(
      async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
      },
      { signal },
    );
    strictEqual(most, 1);
  },

  'replay removes an entry whose work is done': async ({ queue }) => {
    await queue.put(entry('1', 'a'), { signal });
    await pass(queue);
    strictEqual(await queue.size(), 0);
    deepStrictEqual((await pass(queue)).ids, []);
  },

  'replay keeps a failed entry first of its key and continues with other keys': async ({ queue }) => {
    for (const [id, key] of [
      ['1', 'a'],
      ['2', 'a'],
      ['3', 'b'],
    ] as const)
      await queue.put(entry(id, key), { signal });
    const first = await pass(queue, ({ id }) => id === '1');
    deepStrictEqual(first.ids.toSorted(), ['1', '3']);
    deepStrictEqual([first.replayed, first.kept, await queue.size()], [1, 2, 2]);
    deepStrictEqual((await pass(queue)).ids, ['1', '2']);
  },

  'put stores an id only once': async ({ queue }) => {
    await queue.put(entry('1', 'a'), { signal });
    await queue.put(entry('1', 'a'), { signal });
    strictEqual(await queue.size(), 1);
  },

  'put rejects entries above the limit and accepts them again after a replay': async ({ queue }) => {
    for (const id of ['1', '2', '3', '4']) await queue.put(entry(id, 'a'), { signal });
    await rejects(queue.put(entry('5', 'a'), { signal }), { code: 'queue-full', retryable: true });
    strictEqual(await queue.size(), 4);
    await pass(queue);
    await queue.put(entry('5', 'a'), { signal });
    deepStrictEqual((await pass(queue)).ids, ['5']);
  },

  'put stores no entry under an aborted signal': async ({ queue }) => {
    const reason = new Error('the caller has gone');
    await rejects(queue.put(entry('1', 'a'), { signal: AbortSignal.abort(reason) }), reason);
    strictEqual(await queue.size(), 0);
  },

  'replay ends soon after its signal aborts and loses no entry': async ({ queue }) => {
    for (const id of ['1', '2', '3']) await queue.put(entry(id, 'a'), { signal });
    const controller = new AbortController();
    const ids: string[] = [];
    let aborted = false;
    await queue.replay(
      async ({ id }, options) => {
        ids.push(id);
        controller.abort();
        aborted = options.signal.aborted;
        options.signal.throwIfAborted();
      },
      { signal: controller.signal },
    );
    ok(aborted, 'the signal of the work did not abort');
    deepStrictEqual(ids, ['1']);
    deepStrictEqual((await pass(queue)).ids, ['1', '2', '3']);
  },

  'a reopened queue holds all entries in order': async ({ queue, reopen }) => {
    for (const id of ['1', '2']) await queue.put(entry(id, 'a'), { signal });
    const again = await reopen();
    strictEqual(await again.size(), 2);
    deepStrictEqual((await pass(again)).ids, ['1', '2']);
  },
};
