import { describe, expect, it } from 'vitest';
import { fallbackQueueConformance } from './fallback-queue-conformance.ts';
import type { FallbackQueue } from './fallback-queue.ts';
import { MemoryQueue, type StoredEntries } from './simulation/memory-queue.ts';

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
