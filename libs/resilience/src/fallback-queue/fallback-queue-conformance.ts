import { deepStrictEqual, ok, rejects, strictEqual } from 'node:assert/strict';
import type { FallbackQueue, QueueEntry } from './fallback-queue.ts';

/** A queue under test and what goes with it. */
export interface QueueUnderTest {
  readonly queue: FallbackQueue;
  /** Another adapter on the same stored entries, as a process has that starts again. */
  readonly reopen: () => Promise<FallbackQueue>;
  /** Releases everything. */
  readonly close: () => Promise<void>;
}

/** One thing that every {@link FallbackQueue} does. */
export interface ConformanceCheck {
  /** What is promised, as the name of a test. */
  readonly name: string;
  /** @throws AssertionError when the promise is not kept */
  readonly run: () => Promise<void>;
}

/**
 * What an adapter of {@link FallbackQueue} has to do, to be run by any test runner: `for (const { name, run } of fallbackQueueConformance(make)) it(name, run);`
 * @param make An empty queue that takes at most so many entries.
 */
export function fallbackQueueConformance(make: (limits: { readonly entriesMax: number }) => Promise<QueueUnderTest>): readonly ConformanceCheck[] {
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

/** One pass whose work succeeds unless it is told to fail; what was run, in order. */
async function pass(queue: FallbackQueue, fails: (entry: QueueEntry) => boolean = () => false): Promise<{ readonly ids: readonly string[]; readonly replayed: number; readonly kept: number }> {
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
  'gives an entry back as it was put': async ({ queue }) => {
    const put = entry('1', 'a', { text: 'ü', list: [1, null], nested: { yes: true } });
    await queue.put(put, { signal });
    const seen: QueueEntry[] = [];
    await queue.replay(async (given) => void seen.push(given), { signal });
    deepStrictEqual(seen, [put]);
  },

  'replays the entries of a key in the order in which they were put': async ({ queue }) => {
    for (const id of ['1', '2', '3']) await queue.put(entry(id, 'a'), { signal });
    deepStrictEqual(await pass(queue), { ids: ['1', '2', '3'], replayed: 3, kept: 0 });
  },

  'never runs two entries of a key at once': async ({ queue }) => {
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

  'forgets an entry whose work is done': async ({ queue }) => {
    await queue.put(entry('1', 'a'), { signal });
    await pass(queue);
    strictEqual(await queue.size(), 0);
    deepStrictEqual((await pass(queue)).ids, []);
  },

  'keeps an entry whose work failed first of its key, and goes on with other keys': async ({ queue }) => {
    for (const [id, key] of [['1', 'a'], ['2', 'a'], ['3', 'b']] as const) await queue.put(entry(id, key), { signal });
    const first = await pass(queue, ({ id }) => id === '1');
    deepStrictEqual(first.ids.toSorted(), ['1', '3']);
    deepStrictEqual([first.replayed, first.kept, await queue.size()], [1, 2, 2]);
    deepStrictEqual((await pass(queue)).ids, ['1', '2']);
  },

  'takes an id once': async ({ queue }) => {
    await queue.put(entry('1', 'a'), { signal });
    await queue.put(entry('1', 'a'), { signal });
    strictEqual(await queue.size(), 1);
  },

  'takes no more entries than it may, and again when there is room': async ({ queue }) => {
    for (const id of ['1', '2', '3', '4']) await queue.put(entry(id, 'a'), { signal });
    await rejects(queue.put(entry('5', 'a'), { signal }), { code: 'queue-full', retryable: true });
    strictEqual(await queue.size(), 4);
    await pass(queue);
    await queue.put(entry('5', 'a'), { signal });
    deepStrictEqual((await pass(queue)).ids, ['5']);
  },

  'does not take an entry under a signal that has aborted': async ({ queue }) => {
    const reason = new Error('the caller has gone');
    await rejects(queue.put(entry('1', 'a'), { signal: AbortSignal.abort(reason) }), reason);
    strictEqual(await queue.size(), 0);
  },

  'ends a pass soon after its signal has aborted, and loses nothing': async ({ queue }) => {
    for (const id of ['1', '2', '3']) await queue.put(entry(id, 'a'), { signal });
    const controller = new AbortController();
    const ids: string[] = [];
    let told = false;
    await queue.replay(
      async ({ id }, options) => {
        ids.push(id);
        controller.abort();
        told = options.signal.aborted;
        options.signal.throwIfAborted();
      },
      { signal: controller.signal },
    );
    ok(told, 'the work is not told of the abort');
    deepStrictEqual(ids, ['1']);
    deepStrictEqual((await pass(queue)).ids, ['1', '2', '3']);
  },

  'has every entry still after a restart, in order': async ({ queue, reopen }) => {
    for (const id of ['1', '2']) await queue.put(entry(id, 'a'), { signal });
    const again = await reopen();
    strictEqual(await again.size(), 2);
    deepStrictEqual((await pass(again)).ids, ['1', '2']);
  },
};
