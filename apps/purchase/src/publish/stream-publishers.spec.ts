import { purchases } from '@millrace/contracts';
import { bookViews } from '@millrace/contracts/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock, promisesSettled } from '../testing/manual-clock.ts';
import { RecordingWriter } from '../testing/recording-writer.ts';
import { ClientPresence } from './client-presence.ts';
import type { EventMessage } from './event-message.ts';
import { Publisher } from './publisher.ts';
import { checkWay, StreamPublishers } from './stream-publishers.ts';

const { signal } = new AbortController();
const down = new Error('the topic does not exist');
let clock: ManualClock;
let writers: Record<'purchases' | 'book-views', RecordingWriter>;
let publishers: StreamPublishers;

beforeEach(() => {
  clock = new ManualClock();
  writers = { purchases: new RecordingWriter(2), 'book-views': new RecordingWriter(2) };
  publishers = new StreamPublishers(
    [purchases, bookViews].map((stream) => {
      const writer = writers[stream.name as keyof typeof writers];
      const publisher = new Publisher(
        writer,
        {
          partitions: 2,
          refreshMs: 30_000,
          lingerMs: 0,
          batchBytesMax: 100,
          queueEventsMax: 10,
          queueBytesMax: 1000,
          reopen: { baseMs: 100, factor: 2, waitMsMax: 1000 },
        },
        { clock, random: () => 1, observe: () => undefined },
      );
      return {
        stream,
        publisher,
        writer: { check: async () => await Promise.resolve(`topic ${stream.topic.name}`), close: () => writer.effects.push('close') },
      };
    }),
  );
});

function message(stream: string, eventId: string): EventMessage {
  return { stream, eventId, partition: 0, bytes: 10, key: Buffer.from('user'), value: Buffer.alloc(0), headers: new Map() };
}

describe('StreamPublishers', () => {
  it('the publishers send each event to the topic of its stream', async () => {
    publishers.start();
    await promisesSettled();
    for (const [stream, id] of [
      ['purchases', 'a'],
      ['book-views', 'b'],
    ] as const) {
      const delivered = publishers.publish([message(stream, id)], { client: new ClientPresence(), deadline: 1000 });
      await promisesSettled();
      writers[stream].answer();
      expect(await delivered).toMatchObject([{ kind: 'written', eventId: id }]);
    }
    expect([writers.purchases.logs[0], writers['book-views'].logs[0]]).toEqual([['a'], ['b']]);
  });

  it('the publishers continue with one stream while the topic of the other is missing', async () => {
    writers['book-views'].openError = down;
    publishers.start();
    await promisesSettled();
    expect(publishers.downCause).toBeUndefined();
    expect(await publishers.check(signal)).toBe('topic bookstore.purchases.v1');
    await expect(checkWay(publishers.of('book-views'), signal)).rejects.toThrow('does not exist');
    expect(await publishers.publish([message('book-views', 'b')], { client: new ClientPresence(), deadline: 1000 })).toMatchObject([
      { kind: 'failed', reason: 'unavailable' },
    ]);
  });

  it('the publishers are down when no stream has its topic', async () => {
    writers.purchases.openError = writers['book-views'].openError = down;
    publishers.start();
    await promisesSettled();
    expect(publishers.downCause).toBe(down);
    await expect(publishers.check(signal)).rejects.toThrow('does not exist');
  });

  it('the publishers close every writer', async () => {
    publishers.start();
    await promisesSettled();
    await publishers.close();
    expect(Object.values(writers).map(({ effects }) => effects.at(-1))).toEqual(['close', 'close']);
  });

  it('the publishers refuse a stream that is not declared', () => {
    expect(() => publishers.of('sales')).toThrow('There is no stream "sales".');
  });
});
