import { describe, expect, it } from 'vitest';
import { fallbackQueueConformance } from './fallback-queue-conformance.ts';
import type { FallbackQueue } from './fallback-queue.ts';
import { MemoryQueue, type StoredEntries } from '../testing/memory-queue.ts';

function checksOf(adapt: (stored: StoredEntries, entriesMax: number) => FallbackQueue) {
  return fallbackQueueConformance(({ entriesMax }) => {
    const stored: StoredEntries = { entries: [] };
    return Promise.resolve({ queue: adapt(stored, entriesMax), reopen: () => Promise.resolve(adapt(stored, entriesMax)), close: () => Promise.resolve() });
  });
}

async function brokenPromises(adapt: (stored: StoredEntries, entriesMax: number) => FallbackQueue): Promise<string[]> {
  const broken: string[] = [];
  for (const { name, run } of checksOf(adapt)) {
    await run().catch(() => broken.push(name));
  }
  return broken;
}

describe('the plainest queue', () => {
  it.each(checksOf((stored, entriesMax) => new MemoryQueue(stored, entriesMax)))('$name', async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });
});

describe('the conformance checks find a queue that', () => {
  it('takes an id twice', async () => {
    class Doubling extends MemoryQueue {
      private count = 0;

      override put(...[entry, options]: Parameters<MemoryQueue['put']>): Promise<void> {
        this.count += 1;
        return super.put({ ...entry, id: `${entry.id}.${this.count}` }, options);
      }
    }
    expect(await brokenPromises((stored, entriesMax) => new Doubling(stored, entriesMax))).toContain('takes an id once');
  });

  it('has no bound', async () => {
    expect(await brokenPromises((stored) => new MemoryQueue(stored, Number.POSITIVE_INFINITY))).toEqual(['takes no more entries than it may, and again when there is room']);
  });

  it('drops what fails', async () => {
    class Dropping extends MemoryQueue {
      override replay(...[run, options]: Parameters<MemoryQueue['replay']>): ReturnType<MemoryQueue['replay']> {
        return super.replay((entry, given) => run(entry, given).catch(() => undefined), options);
      }
    }
    expect(await brokenPromises((stored, entriesMax) => new Dropping(stored, entriesMax))).toContain('keeps an entry whose work failed first of its key, and goes on with other keys');
  });

  it('does not keep the item as it is', async () => {
    class Losing extends MemoryQueue {
      override put(...[entry, options]: Parameters<MemoryQueue['put']>): Promise<void> {
        return super.put({ ...entry, item: null }, options);
      }
    }
    expect(await brokenPromises((stored, entriesMax) => new Losing(stored, entriesMax))).toEqual(['gives an entry back as it was put']);
  });

  it('replays the newest first', async () => {
    class Stack extends MemoryQueue {
      constructor(
        private readonly kept: StoredEntries,
        entriesMax: number,
      ) {
        super(kept, entriesMax);
      }

      override async put(...args: Parameters<MemoryQueue['put']>): Promise<void> {
        await super.put(...args);
        this.kept.entries.unshift(...this.kept.entries.splice(-1));
      }
    }
    expect(await brokenPromises((stored, entriesMax) => new Stack(stored, entriesMax))).toEqual([
      'replays the entries of a key in the order in which they were put',
      'keeps an entry whose work failed first of its key, and goes on with other keys',
      'ends a pass soon after its signal has aborted, and loses nothing',
      'has every entry still after a restart, in order',
    ]);
  });

  it('runs entries of a key at once', async () => {
    class Hasty extends MemoryQueue {
      override async replay(...[run, options]: Parameters<MemoryQueue['replay']>): ReturnType<MemoryQueue['replay']> {
        const runs: Promise<void>[] = [];
        const summary = await super.replay(async (entry, given) => {
          const own = run(entry, given);
          runs.push(own.catch(() => undefined));
          await Promise.resolve();
        }, options);
        await Promise.all(runs);
        return summary;
      }
    }
    expect(await brokenPromises((stored, entriesMax) => new Hasty(stored, entriesMax))).toContain('never runs two entries of a key at once');
  });

  it('keeps what is done', async () => {
    class Hoarding extends MemoryQueue {
      constructor(
        private readonly kept: StoredEntries,
        entriesMax: number,
      ) {
        super(kept, entriesMax);
      }

      override async replay(...args: Parameters<MemoryQueue['replay']>): ReturnType<MemoryQueue['replay']> {
        const { entries } = this.kept;
        const summary = await super.replay(...args);
        this.kept.entries = entries;
        return summary;
      }
    }
    expect(await brokenPromises((stored, entriesMax) => new Hoarding(stored, entriesMax))).toEqual([
      'forgets an entry whose work is done',
      'keeps an entry whose work failed first of its key, and goes on with other keys',
      'takes no more entries than it may, and again when there is room',
    ]);
  });

  it('lets one key hold up the others', async () => {
    class Single extends MemoryQueue {
      override replay(...[run, options]: Parameters<MemoryQueue['replay']>): ReturnType<MemoryQueue['replay']> {
        let before: Promise<unknown> = Promise.resolve();
        return super.replay(async (entry, given) => {
          const own = before.then(async () => await run(entry, given));
          before = own;
          await own;
        }, options);
      }
    }
    expect(await brokenPromises((stored, entriesMax) => new Single(stored, entriesMax))).toEqual(['keeps an entry whose work failed first of its key, and goes on with other keys']);
  });

  it('counts wrongly', async () => {
    class Miscounting extends MemoryQueue {
      override async replay(...args: Parameters<MemoryQueue['replay']>): ReturnType<MemoryQueue['replay']> {
        const summary = await super.replay(...args);
        return { replayed: summary.kept, kept: summary.replayed };
      }
    }
    expect(await brokenPromises((stored, entriesMax) => new Miscounting(stored, entriesMax))).toEqual([
      'replays the entries of a key in the order in which they were put',
      'keeps an entry whose work failed first of its key, and goes on with other keys',
    ]);
  });

  it('says of its size what is not so', async () => {
    class Boasting extends MemoryQueue {
      override async size(): Promise<number> {
        return (await super.size()) + 1;
      }
    }
    expect(await brokenPromises((stored, entriesMax) => new Boasting(stored, entriesMax))).toEqual([
      'forgets an entry whose work is done',
      'keeps an entry whose work failed first of its key, and goes on with other keys',
      'takes an id once',
      'takes no more entries than it may, and again when there is room',
      'does not take an entry under a signal that has aborted',
      'has every entry still after a restart, in order',
    ]);
  });

  it('forgets at a restart', async () => {
    expect(await brokenPromises((_, entriesMax) => new MemoryQueue({ entries: [] }, entriesMax))).toEqual(['has every entry still after a restart, in order']);
  });

  it('does not heed aborts', async () => {
    const { signal } = new AbortController();
    class Deaf extends MemoryQueue {
      override put(...[entry]: Parameters<MemoryQueue['put']>): Promise<void> {
        return super.put(entry, { signal });
      }

      override replay(...[run]: Parameters<MemoryQueue['replay']>): ReturnType<MemoryQueue['replay']> {
        return super.replay(run, { signal });
      }
    }
    expect(await brokenPromises((stored, entriesMax) => new Deaf(stored, entriesMax))).toEqual(['does not take an entry under a signal that has aborted', 'ends a pass soon after its signal has aborted, and loses nothing']);
  });
});

describe('each check', () => {
  it('closes its queue, whether or not the promise was kept', async () => {
    const open = new Set<FallbackQueue>();
    const checks = fallbackQueueConformance(() => {
      // A limit of none breaks every promise that something is taken.
      const queue = new MemoryQueue({ entries: [] }, 0);
      open.add(queue);
      return Promise.resolve({ queue, reopen: () => Promise.resolve(queue), close: () => Promise.resolve(void open.delete(queue)) });
    });
    const results = await Promise.allSettled(checks.map(async ({ run }) => await run()));
    expect(new Set(results.map(({ status }) => status))).toEqual(new Set(['fulfilled', 'rejected']));
    expect(open.size).toBe(0);
  });
});
