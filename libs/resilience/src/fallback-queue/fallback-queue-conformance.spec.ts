import { describe, expect, it } from 'vitest';
import { fallbackQueueConformance } from './fallback-queue-conformance.ts';
import type { FallbackQueue, QueueEntry } from './fallback-queue.ts';
import { MemoryQueue, type StoredEntries } from '../testing/memory-queue.ts';

function createChecks(adapt: (stored: StoredEntries, entriesMax: number) => FallbackQueue) {
  return fallbackQueueConformance(({ entriesMax }) => {
    const stored: StoredEntries = { entries: [] };
    return Promise.resolve({
      queue: adapt(stored, entriesMax),
      reopen: () => Promise.resolve(adapt(stored, entriesMax)),
      close: () => Promise.resolve(),
    });
  });
}

async function failedChecks(adapt: (stored: StoredEntries, entriesMax: number) => FallbackQueue): Promise<string[]> {
  const failed: string[] = [];
  for (const { name, run } of createChecks(adapt)) {
    await run().catch(() => failed.push(name));
  }
  return failed;
}

describe('MemoryQueue', () => {
  it.each(createChecks((stored, entriesMax) => new MemoryQueue(stored, entriesMax)))('$name', async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });
});

describe('the conformance checks', () => {
  it('a queue that stores a part of a group fails a check', async () => {
    class Partial extends MemoryQueue {
      override async put(...[entries, options]: Parameters<MemoryQueue['put']>): Promise<void> {
        for (const entry of entries) await super.put([entry], options);
      }
    }
    expect(await failedChecks((stored, entriesMax) => new Partial(stored, entriesMax))).toEqual(['put stores a group whole or not at all']);
  });

  it('a queue that mixes keys in a group fails a check', async () => {
    class Mixing extends MemoryQueue {
      override async replay(...[run, options]: Parameters<MemoryQueue['replay']>): ReturnType<MemoryQueue['replay']> {
        const all: QueueEntry[] = [];
        await super.replay(async (group) => void all.push(...group), options);
        if (all.length > 0) await run(all, options);
        return { replayed: all.length, kept: 0 };
      }
    }
    expect(await failedChecks((stored, entriesMax) => new Mixing(stored, entriesMax))).toContain(
      'replay gives each group entries of one key, and at least one',
    );
  });

  it('a queue that has no limit fails a check', async () => {
    expect(await failedChecks((stored) => new MemoryQueue(stored, Number.POSITIVE_INFINITY))).toEqual([
      'put rejects entries above the limit and accepts them again after a replay',
      'put stores a group whole or not at all',
    ]);
  });

  it('a queue that drops failed entries fails a check', async () => {
    class Dropping extends MemoryQueue {
      override replay(...[run, options]: Parameters<MemoryQueue['replay']>): ReturnType<MemoryQueue['replay']> {
        return super.replay((group, given) => run(group, given).catch(() => undefined), options);
      }
    }
    expect(await failedChecks((stored, entriesMax) => new Dropping(stored, entriesMax))).toContain(
      'replay keeps a failed group first of its key and continues with other keys',
    );
  });

  it('a queue that changes the item fails a check', async () => {
    class Losing extends MemoryQueue {
      override put(...[entries, options]: Parameters<MemoryQueue['put']>): Promise<void> {
        return super.put(
          entries.map((entry) => ({ ...entry, item: null })),
          options,
        );
      }
    }
    expect(await failedChecks((stored, entriesMax) => new Losing(stored, entriesMax))).toEqual(['replay returns an entry unchanged']);
  });

  it('a queue that replays the newest entry first fails a check', async () => {
    class Stack extends MemoryQueue {
      readonly #kept: StoredEntries;

      constructor(kept: StoredEntries, entriesMax: number) {
        super(kept, entriesMax);
        this.#kept = kept;
      }

      override async put(...[entries, options]: Parameters<MemoryQueue['put']>): Promise<void> {
        await super.put(entries, options);
        this.#kept.entries.unshift(...this.#kept.entries.splice(-entries.length).toReversed());
      }
    }
    expect(await failedChecks((stored, entriesMax) => new Stack(stored, entriesMax))).toEqual([
      'replay keeps the order of the entries of a key',
      'replay keeps a failed group first of its key and continues with other keys',
      'put stores a group whole or not at all',
      'replay ends soon after its signal aborts and loses no entry',
      'a reopened queue holds all entries in order',
    ]);
  });

  it('a queue that runs groups of a key concurrently fails a check', async () => {
    class Hasty extends MemoryQueue {
      override async replay(...[run, options]: Parameters<MemoryQueue['replay']>): ReturnType<MemoryQueue['replay']> {
        const runs: Promise<void>[] = [];
        const summary = await super.replay(async (group, given) => {
          const own = run(group, given);
          runs.push(own.catch(() => undefined));
          await Promise.resolve();
        }, options);
        await Promise.all(runs);
        return summary;
      }
    }
    expect(await failedChecks((stored, entriesMax) => new Hasty(stored, entriesMax))).toContain(
      'replay never runs two groups of a key concurrently',
    );
  });

  it('a queue that keeps finished entries fails a check', async () => {
    class Hoarding extends MemoryQueue {
      readonly #kept: StoredEntries;

      constructor(kept: StoredEntries, entriesMax: number) {
        super(kept, entriesMax);
        this.#kept = kept;
      }

      override async replay(...args: Parameters<MemoryQueue['replay']>): ReturnType<MemoryQueue['replay']> {
        const { entries } = this.#kept;
        const summary = await super.replay(...args);
        this.#kept.entries = entries;
        return summary;
      }
    }
    expect(await failedChecks((stored, entriesMax) => new Hoarding(stored, entriesMax))).toEqual([
      'replay removes an entry whose work is done',
      'replay keeps a failed group first of its key and continues with other keys',
      'put rejects entries above the limit and accepts them again after a replay',
    ]);
  });

  it('a queue that lets one key block the others fails a check', async () => {
    class Single extends MemoryQueue {
      override replay(...[run, options]: Parameters<MemoryQueue['replay']>): ReturnType<MemoryQueue['replay']> {
        let before: Promise<unknown> = Promise.resolve();
        return super.replay(async (group, given) => {
          const own = before.then(async () => await run(group, given));
          before = own;
          await own;
        }, options);
      }
    }
    expect(await failedChecks((stored, entriesMax) => new Single(stored, entriesMax))).toEqual([
      'replay keeps a failed group first of its key and continues with other keys',
    ]);
  });

  it('a queue that returns a wrong summary fails a check', async () => {
    class Miscounting extends MemoryQueue {
      override async replay(...args: Parameters<MemoryQueue['replay']>): ReturnType<MemoryQueue['replay']> {
        const summary = await super.replay(...args);
        return { replayed: summary.kept, kept: summary.replayed };
      }
    }
    expect(await failedChecks((stored, entriesMax) => new Miscounting(stored, entriesMax))).toEqual([
      'replay keeps the order of the entries of a key',
      'replay keeps a failed group first of its key and continues with other keys',
    ]);
  });

  it('a queue that returns a wrong size fails a check', async () => {
    class Boasting extends MemoryQueue {
      override async size(): Promise<number> {
        return (await super.size()) + 1;
      }
    }
    expect(await failedChecks((stored, entriesMax) => new Boasting(stored, entriesMax))).toEqual([
      'replay removes an entry whose work is done',
      'replay keeps a failed group first of its key and continues with other keys',
      'put rejects entries above the limit and accepts them again after a replay',
      'put stores a group whole or not at all',
      'put stores no entry under an aborted signal',
      'a reopened queue holds all entries in order',
    ]);
  });

  it('a queue that loses its entries at a restart fails a check', async () => {
    expect(await failedChecks((_, entriesMax) => new MemoryQueue({ entries: [] }, entriesMax))).toEqual([
      'a reopened queue holds all entries in order',
    ]);
  });

  it('a queue that ignores aborts fails a check', async () => {
    const { signal } = new AbortController();
    class Deaf extends MemoryQueue {
      override put(...[entries]: Parameters<MemoryQueue['put']>): Promise<void> {
        return super.put(entries, { signal });
      }

      override replay(...[run]: Parameters<MemoryQueue['replay']>): ReturnType<MemoryQueue['replay']> {
        return super.replay(run, { signal });
      }
    }
    expect(await failedChecks((stored, entriesMax) => new Deaf(stored, entriesMax))).toEqual([
      'put stores no entry under an aborted signal',
      'replay ends soon after its signal aborts and loses no entry',
    ]);
  });
});

describe('a conformance check', () => {
  it('a check closes its queue even if it fails', async () => {
    const open = new Set<FallbackQueue>();
    const checks = fallbackQueueConformance(() => {
      // With a limit of 0, every check that stores an entry fails.
      const queue = new MemoryQueue({ entries: [] }, 0);
      open.add(queue);
      return Promise.resolve({ queue, reopen: () => Promise.resolve(queue), close: () => Promise.resolve(void open.delete(queue)) });
    });
    const results = await Promise.allSettled(checks.map(async ({ run }) => await run()));
    expect(new Set(results.map(({ status }) => status))).toEqual(new Set(['fulfilled', 'rejected']));
    expect(open.size).toBe(0);
  });
});
