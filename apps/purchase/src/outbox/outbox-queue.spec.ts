import { fallbackQueueConformance, type QueueEntry } from '@millrace/resilience';
import { describe, expect, it, vi } from 'vitest';
import { PowerCutDirectory } from '../testing/power-cut-directory.ts';
import { OutboxLog } from './outbox-log.ts';
import { type EntryCodec, OutboxQueue } from './outbox-queue.ts';
import { recordHeadBytes } from './log-record.ts';

const codec: EntryCodec<unknown> = {
  encode: (entry) => Buffer.from(JSON.stringify(entry)),
  decode: (bytes) => JSON.parse(bytes.toString()) as QueueEntry,
};
const headBytes = 24;
const { signal } = new AbortController();

async function openQueue(
  directory: PowerCutDirectory,
  limits: { readonly bytesMax: number; readonly segmentBytesMax?: number; readonly groupEntriesMax?: number },
): Promise<{ log: OutboxLog; queue: OutboxQueue<unknown> }> {
  const { bytesMax, segmentBytesMax = 1000, groupEntriesMax = 2 } = limits;
  const log = await OutboxLog.open(directory, { bytesMax, segmentBytesMax, commitBytesMax: 1000 });
  return { log, queue: await OutboxQueue.open(log, codec, groupEntriesMax) };
}

function entryOf(id: string, key: string): QueueEntry {
  return { id, key, item: { id } };
}

const never = (): number => 0.5;

describe('OutboxQueue', () => {
  // The entries of the checks have one size, apart from the first one, which has its own queue.
  const entryBytes = recordHeadBytes + codec.encode(entryOf('1', 'a')).length;

  it.each(
    fallbackQueueConformance(async ({ entriesMax }) => {
      const directory = new PowerCutDirectory(never);
      const limits = { bytesMax: headBytes + entriesMax * entryBytes };
      const opened = await openQueue(directory, limits);
      let { log } = opened;
      return {
        queue: opened.queue,
        reopen: async () => {
          await log.close();
          const again = await openQueue(directory, limits);
          ({ log } = again);
          return again.queue;
        },
        close: async () => await log.close(),
      };
    }),
  )('$name', async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });

  it('the queue holds an entry until its replay, in whatever segment it is', async () => {
    const { queue } = await openQueue(new PowerCutDirectory(never), { bytesMax: 100_000, segmentBytesMax: 3 * entryBytes });
    for (let id = 1; id <= 9; id += 1) await queue.put([entryOf(String(id), id === 9 ? 'b' : 'a')], { signal });
    expect([await queue.holds('1', { signal }), await queue.holds('9', { signal }), await queue.holds('x', { signal })]).toEqual([
      true,
      true,
      false,
    ]);
    // One key makes progress while the other one stays.
    await queue.replay(async ([entry]) => (entry!.key === 'a' ? await Promise.resolve() : await Promise.reject(new Error('no leader'))), {
      signal,
    });
    expect([await queue.holds('1', { signal }), await queue.holds('9', { signal })]).toEqual([false, true]);
    await expect(queue.holds('9', { signal: AbortSignal.abort(new Error('gone')) })).rejects.toThrow('gone');
  });

  it('the queue counts a key as waiting from the call of put until its replay or a failed put', async () => {
    const { queue } = await openQueue(new PowerCutDirectory(never), { bytesMax: headBytes + entryBytes });
    const put = queue.put([entryOf('1', 'a')], { signal });
    expect([queue.isWaiting('a'), queue.isWaiting('b')]).toEqual([true, false]);
    await put;
    await expect(queue.put([entryOf('2', 'b')], { signal })).rejects.toMatchObject({ code: 'queue-full' });
    expect([queue.isWaiting('a'), queue.isWaiting('b')]).toEqual([true, false]);
    await queue.replay(async () => await Promise.resolve(), { signal });
    expect([queue.isWaiting('a'), queue.isEmpty]).toEqual([false, true]);
  });

  it('a key that fails holds the pointer, and no other key is replayed twice', async () => {
    const directory = new PowerCutDirectory(never);
    const { log, queue } = await openQueue(directory, { bytesMax: 100_000, segmentBytesMax: 100 });
    for (let number = 0; number < 30; number += 1) await queue.put([entryOf(`a${number}`, 'a'), entryOf(`b${number}`, 'b')], { signal });
    const ran: string[] = [];
    const pass = async (fails: string): Promise<void> => {
      await queue.replay(
        async (group) => {
          await Promise.resolve();
          if (group[0]!.key === fails) throw new Error('refused');
          ran.push(...group.map(({ id }) => id));
        },
        { signal },
      );
    };
    await pass('a');
    expect([ran.length, queue.isWaiting('a'), queue.isWaiting('b'), log.cursor]).toEqual([30, true, false, 0]);
    await pass('');
    expect(ran).toEqual([
      ...Array.from({ length: 30 }, (_, number) => `b${number}`),
      ...Array.from({ length: 30 }, (_, number) => `a${number}`),
    ]);
    expect([queue.isEmpty, log.cursor === log.end]).toEqual([true, true]);
    // Every segment is gone: its space is free.
    expect((await directory.list()).map(({ name }) => name)).toEqual(['cursor']);
  });

  it('a pass reads only the beginning of the log while every key fails', async () => {
    const { log, queue } = await openQueue(new PowerCutDirectory(never), { bytesMax: 100_000, segmentBytesMax: 100 });
    for (let number = 0; number < 30; number += 1) await queue.put([entryOf(`${number}`, 'a')], { signal });
    const read = vi.spyOn(log, 'read');
    await queue.replay(async () => await Promise.reject(new Error('away')), { signal });
    expect([read.mock.calls.length, queue.entries]).toEqual([1, 30]);
  });
});
