import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock, promisesSettled } from '../testing/manual-clock.ts';
import { RecordingWriter } from '../testing/recording-writer.ts';
import { ClientPresence } from './client-presence.ts';
import type { Delivery } from './delivery.ts';
import { Publisher, type PublisherSettings } from './publisher.ts';
import type { PublisherEvent } from './publisher-events.ts';
import type { EventMessage } from './event-message.ts';

const unknown = { kind: 'unknown', cause: new Error('no answer') } as const;
const requestMsMax = 10_000;
let clock: ManualClock;
let writer: RecordingWriter;
let events: PublisherEvent[];
let client: ClientPresence;

beforeEach(() => {
  clock = new ManualClock();
  writer = new RecordingWriter(2);
  events = [];
  client = new ClientPresence();
});

function message(eventId: string, partition = 0, bytes = 10): EventMessage {
  return { stream: 'purchases', eventId, partition, bytes, key: Buffer.from('user'), value: Buffer.alloc(0), headers: new Map() };
}

async function started(settings: Partial<PublisherSettings> = {}): Promise<Publisher> {
  const publisher = new Publisher(
    writer,
    {
      partitions: 2,
      refreshMs: 30_000,
      lingerMs: 1,
      batchBytesMax: 100,
      queueEventsMax: 1000,
      queueBytesMax: 100_000,
      reopen: { baseMs: 100, factor: 2, waitMsMax: 1000 },
      ...settings,
    },
    { clock, random: () => 1, observe: (event) => events.push(event) },
  );
  publisher.start();
  await promisesSettled();
  return publisher;
}

/** Publishes as one request, and keeps the answer once it is there. */
function publish(publisher: Publisher, ...messages: EventMessage[]): { deliveries?: readonly string[] } {
  const request: { deliveries?: readonly string[] } = {};
  void publisher.publish(messages, { client, deadline: clock.now() + requestMsMax }).then((deliveries) => {
    request.deliveries = deliveries.map(textOf);
    return undefined;
  });
  return request;
}

function textOf(delivery: Delivery): string {
  if (delivery.kind === 'written') return `${delivery.eventId} at ${delivery.partition}/${delivery.offset}`;
  return `${delivery.eventId} ${delivery.kind === 'failed' ? delivery.reason : delivery.kind}`;
}

describe('the sends of the publisher', () => {
  it('requests within the linger share a send, and a receipt is the base offset plus the index in its partition', async () => {
    const publisher = await started();
    const one = publish(publisher, message('a', 0), message('b', 1), message('c', 0));
    const two = publish(publisher, message('d', 1));
    await clock.advance(1);
    writer.answer();
    await promisesSettled();
    expect(writer.effects).toEqual(['open 1', 'send 1 0:a+c 1:b+d']);
    expect(one.deliveries).toEqual(['a at 0/0', 'b at 1/0', 'c at 0/1']);
    expect(two.deliveries).toEqual(['d at 1/1']);
  });

  it('one send is outstanding at a time; events that arrive meanwhile go with the next send, which does not linger', async () => {
    const publisher = await started();
    publish(publisher, message('a'));
    await clock.advance(1);
    const later = publish(publisher, message('b'));
    publish(publisher, message('c'));
    await clock.advance(1000);
    expect(writer.effects).toEqual(['open 1', 'send 1 0:a']);
    writer.answer();
    await promisesSettled();
    expect(writer.effects).toEqual(['open 1', 'send 1 0:a', 'send 1 0:b+c']);
    expect(later.deliveries).toBeUndefined();
    writer.answer();
    await promisesSettled();
    expect(later.deliveries).toEqual(['b at 0/1']);
  });

  it('a send carries at most the limit of each partition, and starts at once when the limit is reached', async () => {
    const publisher = await started();
    const request = publish(
      publisher,
      message('a', 0, 60),
      message('b', 0, 40),
      message('c', 0, 1),
      message('d', 1, 300),
      message('e', 1, 1),
    );
    await promisesSettled();
    expect(writer.effects.at(-1)).toBe('send 1 0:a+b 1:d');
    writer.answer();
    await promisesSettled();
    expect(writer.effects.at(-1)).toBe('send 1 0:c 1:e');
    writer.answer();
    await promisesSettled();
    expect(request.deliveries).toEqual(['a at 0/0', 'b at 0/1', 'c at 0/2', 'd at 1/0', 'e at 1/1']);
  });
});

describe('the queue of the publisher', () => {
  it('the queue accepts a request as a whole or not at all, and counts the events in flight', async () => {
    const publisher = await started({ queueEventsMax: 3 });
    publish(publisher, message('a'), message('b'));
    await clock.advance(1);
    const refused = publish(publisher, message('c'), message('d'));
    const taken = publish(publisher, message('e'));
    await promisesSettled();
    expect(refused.deliveries).toEqual(['c overloaded', 'd overloaded']);
    expect(publisher.queuedEvents).toBe(3);
    writer.answer();
    await promisesSettled();
    expect(publisher.queuedEvents).toBe(1);
    writer.answer();
    await promisesSettled();
    expect(taken.deliveries).toEqual(['e at 0/2']);
    expect([publisher.queuedEvents, publisher.queuedBytes]).toEqual([0, 0]);
    expect(events).toContainEqual({ type: 'EventsFailed', reason: 'overloaded', events: 2 });
  });

  it('the queue accepts single events after batches have filled their three quarters of it', async () => {
    const publisher = await started({ queueEventsMax: 8 });
    publish(publisher, message('a'), message('b'), message('c'), message('d'));
    const batch = publish(publisher, message('e'), message('f'), message('g'));
    const fitting = publish(publisher, message('h'), message('i'));
    const single = publish(publisher, message('j'));
    await clock.advance(1);
    writer.answer();
    await promisesSettled();
    expect([batch.deliveries, fitting.deliveries, single.deliveries]).toEqual([
      ['e overloaded', 'f overloaded', 'g overloaded'],
      ['h at 0/4', 'i at 0/5'],
      ['j at 0/6'],
    ]);
  });

  it('the queue is limited in bytes', async () => {
    const publisher = await started({ queueBytesMax: 100 });
    publish(publisher, message('a', 0, 60));
    const refused = publish(publisher, message('b', 0, 41));
    const taken = publish(publisher, message('c', 0, 40));
    await clock.advance(1);
    writer.answer();
    await promisesSettled();
    expect(refused.deliveries).toEqual(['b overloaded']);
    expect(taken.deliveries).toEqual(['c at 0/1']);
  });
});

describe('a failed send', () => {
  it('only the events of a failed send are in doubt, and the next send has a new session', async () => {
    const publisher = await started();
    const lost = publish(publisher, message('a'));
    await clock.advance(1);
    const next = publish(publisher, message('b'));
    writer.answer({ 0: unknown });
    await clock.advance(1);
    expect(lost.deliveries).toEqual(['a unknown']);
    expect(writer.effects).toEqual(['open 1', 'send 1 0:a', 'close 1', 'open 2', 'send 2 0:b']);
    writer.answer();
    await promisesSettled();
    expect(next.deliveries).toEqual(['b at 0/0']);
  });

  it('the events of written partitions get their receipts after a failed send', async () => {
    const publisher = await started();
    const request = publish(publisher, message('a', 0), message('b', 1), message('c', 1));
    await clock.advance(1);
    writer.answer({ 0: unknown });
    await promisesSettled();
    expect(request.deliveries).toEqual(['a unknown', 'b at 1/0', 'c at 1/1']);
  });

  it('the events behind a failed batch of their partition fail too with `failBehind`; other partitions are sent', async () => {
    const publisher = await started({ failBehind: true });
    const lost = publish(publisher, message('a', 0));
    await clock.advance(1);
    const behind = publish(publisher, message('b', 0), message('c', 1));
    writer.answer({ 0: unknown });
    await clock.advance(1);
    writer.answer();
    await promisesSettled();
    expect([lost.deliveries, behind.deliveries]).toEqual([['a unknown'], ['b unavailable', 'c at 1/0']]);
    expect([publisher.queuedEvents, publisher.queuedBytes]).toEqual([0, 0]);
  });

  it('no event is in doubt if a failed send certainly wrote nothing', async () => {
    const publisher = await started();
    const request = publish(publisher, message('a', 0), message('b', 1));
    await clock.advance(1);
    writer.answer({
      0: { kind: 'not-written', cause: new Error('not the leader') },
      1: { kind: 'refused', cause: new Error('invalid record') },
    });
    await promisesSettled();
    expect(request.deliveries).toEqual(['a unavailable', 'b refused']);
  });
});

describe('an oversized batch', () => {
  it('an oversized batch is halved until only the oversized event fails, and the order stays', async () => {
    const publisher = await started();
    writer.tooLarge = new Set(['c']);
    const request = publish(publisher, message('a'), message('b'), message('c'), message('d'), message('e', 1));
    await clock.advance(1);
    while (writer.isSending) {
      writer.answer();
      await clock.advance(1);
    }
    expect(request.deliveries).toEqual(['a at 0/0', 'b at 0/1', 'c too-large', 'd at 0/2', 'e at 1/0']);
    expect(writer.effects.filter((effect) => effect.startsWith('send'))).toEqual([
      'send 1 0:a+b+c+d 1:e',
      'send 2 0:a+b',
      'send 2 0:c+d',
      'send 3 0:c',
      'send 4 0:d',
    ]);
    expect([publisher.queuedEvents, publisher.queuedBytes]).toEqual([0, 0]);
  });

  it('an oversized batch is not sent again for requests that no longer wait', async () => {
    const publisher = await started();
    writer.tooLarge = new Set(['b']);
    const patient = publish(publisher, message('a'));
    client = new ClientPresence();
    const gone = publish(publisher, message('b'));
    await clock.advance(1);
    client.leave(new Error('gone'));
    writer.answer();
    await clock.advance(1);
    writer.answer();
    await promisesSettled();
    expect(gone.deliveries).toEqual(['b unknown']);
    expect(patient.deliveries).toEqual(['a at 0/0']);
    expect(writer.logs[0]).toEqual(['a']);
    expect(publisher.queuedEvents).toBe(0);
  });
});

describe('the deadline of a request', () => {
  it('a request is answered at its deadline, and an event that was not sent is never sent', async () => {
    const publisher = await started();
    publish(publisher, message('a'));
    await clock.advance(5000);
    const waiting = publish(publisher, message('b', 1));
    await clock.advance(requestMsMax);
    expect(waiting.deliveries).toEqual(['b expired']);
    expect(publisher.queuedEvents).toBe(1);
    writer.answer();
    await clock.advance(10);
    expect(writer.effects).toEqual(['open 1', 'send 1 0:a']);
    expect(publisher.queuedEvents).toBe(0);
  });

  it('a request is answered at its deadline, and an event that was sent is in doubt, whatever its outcome', async () => {
    const publisher = await started();
    const request = publish(publisher, message('a'));
    await clock.advance(requestMsMax);
    expect(request.deliveries).toEqual(['a unknown']);
    expect(publisher.queuedEvents).toBe(1);
    writer.answer();
    await promisesSettled();
    expect(request.deliveries).toEqual(['a unknown']);
    expect(publisher.queuedEvents).toBe(0);
  });

  it('a request whose client disconnects is answered like one at its deadline, even before it is accepted', async () => {
    const publisher = await started();
    const early = publish(publisher, message('a'));
    client.leave(new Error('gone'));
    const late = publish(publisher, message('b'));
    await clock.advance(1);
    expect([early.deliveries, late.deliveries]).toEqual([['a expired'], ['b expired']]);
    expect(writer.effects).toEqual(['open 1']);
    expect([publisher.queuedEvents, publisher.queuedBytes]).toEqual([0, 0]);
    await publisher.close();
    expect(clock.pending).toBe(0);
  });
});

describe('a publisher without Kafka', () => {
  it('no event waits while Kafka is unreachable, and the publisher reconnects with growing back-off', async () => {
    writer.openError = new Error('refused');
    const publisher = await started();
    expect(publisher.downCause).toBe(writer.openError);
    const refused = publish(publisher, message('a'));
    await promisesSettled();
    expect(refused.deliveries).toEqual(['a unavailable']);
    await clock.advance(300);
    expect(writer.effects).toEqual(['open fails', 'open fails', 'open fails']);
    writer.openError = undefined;
    await clock.advance(400);
    expect(publisher.downCause).toBeUndefined();
    const taken = publish(publisher, message('b'));
    await clock.advance(1);
    writer.answer();
    await promisesSettled();
    expect(taken.deliveries).toEqual(['b at 0/0']);
  });

  it('no event waits for an attempt to connect that is in progress', async () => {
    writer.openError = new Error('refused');
    const publisher = await started();
    const frozen = Promise.withResolvers<void>();
    writer.openAfter = frozen.promise;
    await clock.advance(100);
    const meanwhile = publish(publisher, message('a'));
    await promisesSettled();
    expect([meanwhile.deliveries, publisher.downCause]).toEqual([['a unavailable'], writer.openError]);
    writer.openError = undefined;
    frozen.resolve();
    await promisesSettled();
    expect(publisher.downCause).toBeUndefined();
  });

  it('events that queued behind the failed send are refused while Kafka is unreachable, and are never sent', async () => {
    const publisher = await started();
    const sent = publish(publisher, message('a'));
    await clock.advance(1);
    const behind = publish(publisher, message('b'));
    writer.openError = new Error('refused');
    writer.answer({ 0: unknown });
    await promisesSettled();
    expect([sent.deliveries, behind.deliveries]).toEqual([['a unknown'], ['b unavailable']]);
    expect(writer.effects).toEqual(['open 1', 'send 1 0:a', 'close 1', 'open fails']);
    expect([publisher.queuedEvents, publisher.queuedBytes]).toEqual([0, 0]);
  });

  it('events wait for the first attempt to connect at the start', async () => {
    const publisher = new Publisher(
      writer,
      {
        partitions: 2,
        refreshMs: 30_000,
        lingerMs: 1,
        batchBytesMax: 100,
        queueEventsMax: 10,
        queueBytesMax: 1000,
        reopen: { baseMs: 100, factor: 2, waitMsMax: 1000 },
      },
      { clock, random: () => 1, observe: () => undefined },
    );
    publisher.start();
    const request = publish(publisher, message('a'));
    await clock.advance(1);
    writer.answer();
    await promisesSettled();
    expect(request.deliveries).toEqual(['a at 0/0']);
  });
});

describe('a topic that grows', () => {
  it('the publisher looks for partitions at its interval, and sends to a new one', async () => {
    const publisher = await started();
    writer.partitions = 5;
    await clock.advance(29_999);
    expect(publisher.partitions).toBe(2);
    await clock.advance(1);
    expect(publisher.partitions).toBe(5);
    const request = publish(publisher, message('a', 0), message('b', 4));
    await clock.advance(1);
    writer.answer();
    await promisesSettled();
    expect(request.deliveries).toEqual(['a at 0/0', 'b at 4/0']);
    await clock.advance(60_000);
    expect(events.filter(({ type }) => type === 'PartitionsChanged')).toEqual([{ type: 'PartitionsChanged', partitions: 5 }]);
  });

  it('a session that is opened after the growth knows the new partitions at once, and looks alone', async () => {
    const publisher = await started();
    publish(publisher, message('a'));
    await clock.advance(1);
    writer.partitions = 3;
    writer.answer({ 0: unknown });
    await promisesSettled();
    expect(publisher.partitions).toBe(3);
    await clock.advance(30_000);
    expect(writer.effects.slice(-2)).toEqual(['open 2', 'refresh 2']);
    await publisher.close();
    expect(clock.pending).toBe(0);
  });

  it('an event of the outbox for a partition that no session has named yet waits for the first session', async () => {
    const publisher = await started();
    const request = publish(publisher, message('a', 7));
    await clock.advance(1);
    writer.answer();
    await promisesSettled();
    expect(request.deliveries).toEqual(['a at 7/0']);
  });
});

describe('a closing publisher', () => {
  it('a closing publisher refuses new events, waits for accepted ones, and then closes the session', async () => {
    const publisher = await started();
    const sent = publish(publisher, message('a'));
    await clock.advance(1);
    const queued = publish(publisher, message('b'));
    const closed = publisher.close().then(() => writer.effects.push('closed'));
    const refused = publish(publisher, message('c'));
    writer.answer();
    await promisesSettled();
    writer.answer();
    await closed;
    expect([sent.deliveries, queued.deliveries, refused.deliveries]).toEqual([['a at 0/0'], ['b at 0/1'], ['c stopping']]);
    expect(writer.effects).toEqual(['open 1', 'send 1 0:a', 'send 1 0:b', 'close 1', 'closed']);
  });

  it('a closing publisher ends at once while Kafka is down, and stops reconnecting', async () => {
    writer.openError = new Error('refused');
    const publisher = await started();
    await publisher.close();
    expect(clock.pending).toBe(0);
    expect(writer.effects).toEqual(['open fails']);
  });
});
