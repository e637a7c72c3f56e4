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

/** Puts entries one by one. */
async function putEach(queue: FallbackQueue, ids: readonly string[], key = 'a'): Promise<void> {
  for (const id of ids) await queue.put([entry(id, key)], { signal });
}

/** Replays the queue. Returns the ids of the run entries in order, and the summary. */
async function pass(
  queue: FallbackQueue,
  fails: (entry: QueueEntry) => boolean = () => false,
): Promise<{ readonly ids: readonly string[]; readonly replayed: number; readonly kept: number }> {
  const ids: string[] = [];
  const summary = await queue.replay(
    async (group) => {
      ids.push(...group.map(({ id }) => id));
      if (group.some(fails)) throw new Error('the work failed');
    },
    { signal },
  );
  return { ids, ...summary };
}

const promises: Readonly<Record<string, (subject: QueueUnderTest) => Promise<void>>> = {
  'replay returns an entry unchanged': async ({ queue }) => {
    const put = entry('1', 'a', { text: 'ü', list: [1, null], nested: { yes: true } });
    await queue.put([put], { signal });
    const seen: QueueEntry[] = [];
    await queue.replay(async (group) => void seen.push(...group), { signal });
    deepStrictEqual(seen, [put]);
  },

  'replay keeps the order of the entries of a key': async ({ queue }) => {
    await queue.put([entry('1', 'a'), entry('2', 'a')], { signal });
    await putEach(queue, ['3']);
    deepStrictEqual(await pass(queue), { ids: ['1', '2', '3'], replayed: 3, kept: 0 });
  },

  'replay gives each group entries of one key, and at least one': async ({ queue }) => {
    await queue.put([entry('1', 'a'), entry('2', 'b'), entry('3', 'a'), entry('4', 'b')], { signal });
    const keys: (readonly string[])[] = [];
    await queue.replay(async (group) => void keys.push([...new Set(group.map(({ key }) => key))]), { signal });
    deepStrictEqual([...new Set(keys.map(({ length }) => length))], [1]);
    deepStrictEqual([...new Set(keys.flat())].toSorted(), ['a', 'b']);
  },

  'replay never runs two groups of a key concurrently': async ({ queue }) => {
    await putEach(queue, ['1', '2', '3']);
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
    await putEach(queue, ['1']);
    await pass(queue);
    strictEqual(await queue.size(), 0);
    deepStrictEqual((await pass(queue)).ids, []);
  },

  'replay keeps a failed group first of its key and continues with other keys': async ({ queue }) => {
    await putEach(queue, ['1', '2']);
    await putEach(queue, ['3'], 'b');
    const first = await pass(queue, ({ id }) => id === '1');
    deepStrictEqual(first.ids.filter((id) => id !== '2').toSorted(), ['1', '3']);
    deepStrictEqual([first.replayed, first.kept, await queue.size()], [1, 2, 2]);
    deepStrictEqual((await pass(queue)).ids, ['1', '2']);
  },

  'put rejects entries above the limit and accepts them again after a replay': async ({ queue }) => {
    await putEach(queue, ['1', '2', '3', '4']);
    await rejects(putEach(queue, ['5']), { code: 'queue-full', retryable: true });
    strictEqual(await queue.size(), 4);
    await pass(queue);
    await putEach(queue, ['5']);
    deepStrictEqual((await pass(queue)).ids, ['5']);
  },

  'put stores a group whole or not at all': async ({ queue }) => {
    await putEach(queue, ['1', '2']);
    const group = ['3', '4', '5'].map((id) => entry(id, 'a'));
    await rejects(queue.put(group, { signal }), { code: 'queue-full' });
    deepStrictEqual([await queue.size(), (await pass(queue)).ids], [2, ['1', '2']]);
  },

  'put stores no entry under an aborted signal': async ({ queue }) => {
    const reason = new Error('the caller has gone');
    await rejects(queue.put([entry('1', 'a')], { signal: AbortSignal.abort(reason) }), reason);
    strictEqual(await queue.size(), 0);
  },

  'replay ends soon after its signal aborts and loses no entry': async ({ queue }) => {
    await putEach(queue, ['1', '2', '3']);
    const controller = new AbortController();
    const ids: string[] = [];
    let aborted = false;
    await queue.replay(
      async (group, options) => {
        ids.push(...group.map(({ id }) => id));
        controller.abort();
        aborted = options.signal.aborted;
        options.signal.throwIfAborted();
      },
      { signal: controller.signal },
    );
    ok(aborted, 'the signal of the work did not abort');
    // One group ran: the first entries of the key, in order.
    deepStrictEqual(ids, ['1', '2', '3'].slice(0, ids.length));
    ok(ids.length > 0);
    deepStrictEqual((await pass(queue)).ids, ['1', '2', '3']);
  },

  'a reopened queue holds all entries in order': async ({ queue, reopen }) => {
    await putEach(queue, ['1', '2']);
    const again = await reopen();
    strictEqual(await again.size(), 2);
    deepStrictEqual((await pass(again)).ids, ['1', '2']);
  },
};
