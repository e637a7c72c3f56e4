import { purchases } from '@millrace/contracts';
import { createPipeline, type FallbackQueue, type Pipeline } from '@millrace/resilience';
import { beforeEach, describe, expect, it } from 'vitest';
import { readPurchaseConfig } from '../config.ts';
import { publishSpec } from '../resilience.ts';
import { ClientPresence } from '../publish/client-presence.ts';
import type { Delivery, FailureReason } from '../publish/delivery.ts';
import type { EventMessage } from '../publish/event-message.ts';
import { PowerCutDirectory } from '../testing/power-cut-directory.ts';
import { messageCodecOf } from './message-codec.ts';
import { OutboxDrainer } from './outbox-drainer.ts';
import { OutboxLog } from './outbox-log.ts';
import { OutboxPublisher } from './outbox-publisher.ts';
import { OutboxQueue } from './outbox-queue.ts';
import { ManualClock, promisesSettled } from '../testing/manual-clock.ts';

const config = readPurchaseConfig({});
// The messages here have no headers, and so no type.
const messageCodec = messageCodecOf([{ ...purchases, eventType: '' }]);

/** A Kafka that keeps logs by partition, or refuses with a reason. */
class FakeKafka {
  readonly logs: string[][] = [[], []];
  /** Reasons by partition. */
  readonly refusals = new Map<number, FailureReason>();
  /** Reasons by event. */
  readonly refusedEvents = new Map<string, FailureReason>();
  downCause: unknown;
  held: Promise<void> | undefined;

  async publish(messages: readonly EventMessage[]): Promise<Delivery[]> {
    await this.held;
    return messages.map(({ eventId, partition }): Delivery => {
      const reason = this.refusedEvents.get(eventId) ?? this.refusals.get(partition);
      if (reason !== undefined) return { kind: 'failed', eventId, reason };
      const log = this.logs[partition]!;
      log.push(eventId);
      return { kind: 'written', eventId, partition, offset: BigInt(log.length - 1) };
    });
  }
}

let directory: PowerCutDirectory;
let kafka: FakeKafka;
let queue: OutboxQueue<EventMessage>;
let pipeline: Pipeline;
let publisher: OutboxPublisher;
let holdClock: ManualClock;
let failed: string[];
let queued: number;

beforeEach(async () => {
  directory = new PowerCutDirectory(() => 0.5);
  kafka = new FakeKafka();
  holdClock = new ManualClock();
  failed = [];
  queued = 0;
  const log = await OutboxLog.open(directory, { bytesMax: 2000, segmentBytesMax: 500, commitBytesMax: 1000 });
  queue = await OutboxQueue.open(log, messageCodec, 2);
  pipeline = createPipeline(publishSpec(config, queue as FallbackQueue));
  publisher = new OutboxPublisher({
    publisher: kafka,
    queue,
    clock: holdClock,
    pipeline,
    onFailed: (reason, events) => failed.push(`${reason} ${events}`),
    onQueued: (events) => {
      queued += events;
    },
  });
});

function message(eventId: string, partition = 0, valueBytes = 10): EventMessage {
  return {
    stream: 'purchases',
    eventId,
    partition,
    bytes: 100,
    key: Buffer.from('user'),
    value: Buffer.alloc(valueBytes),
    headers: new Map(),
  };
}

async function publish(messages: readonly EventMessage[], client = new ClientPresence()): Promise<string[]> {
  const deliveries = await publisher.publish(messages, { client, deadline: Date.now() + 10_000 });
  return deliveries.map((delivery) => `${delivery.eventId} ${delivery.kind === 'failed' ? delivery.reason : delivery.kind}`);
}

async function drain(): Promise<void> {
  await pipeline.replay(async (entries) => {
    const deliveries = await kafka.publish(entries.map(({ item }) => item as EventMessage));
    if (deliveries.some(({ kind }) => kind !== 'written')) throw new Error('not written');
  });
}

/** The steps of a pass follow each other over many turns. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await promisesSettled();
}

describe('OutboxPublisher', () => {
  it('the publisher publishes to Kafka and does not use the outbox while Kafka accepts events', async () => {
    expect(await publish([message('a'), message('b', 1)])).toEqual(['a written', 'b written']);
    expect([queue.isEmpty, queued]).toEqual([true, 0]);
  });

  it.each(['unavailable', 'unknown'] as const)('the publisher keeps an event whose delivery fails as %s in the outbox', async (reason) => {
    kafka.refusals.set(0, reason);
    expect(await publish([message('a'), message('b', 1), message('c')])).toEqual(['a queued', 'b written', 'c queued']);
    expect([queue.entries, queued]).toEqual([2, 2]);
  });

  it.each(['too-large', 'refused', 'overloaded', 'expired', 'stopping'] as const)(
    'the publisher never puts an event that fails as %s into the outbox, and keeps the others of its request',
    async (reason) => {
      kafka.refusedEvents.set('a', reason);
      expect(await publish([message('a')])).toEqual([`a ${reason}`]);
      // The publisher of Kafka counts these.
      expect(failed).toEqual([]);
      kafka.refusals.set(0, 'unavailable');
      expect(await publish([message('a'), message('b')])).toEqual([`a ${reason}`, 'b queued']);
      expect(queue.entries).toBe(1);
    },
  );

  it('new events of a partition queue behind those that wait, until a drain; other partitions go to Kafka', async () => {
    kafka.refusals.set(0, 'unavailable');
    await publish([message('a')]);
    kafka.refusals.clear();
    expect(await publish([message('b'), message('c', 1)])).toEqual(['b queued', 'c written']);
    await drain();
    expect(await publish([message('d')])).toEqual(['d written']);
    expect(kafka.logs).toEqual([['a', 'b', 'd'], ['c']]);
  });

  it('an event is queued when it arrives while the one before it is being written to disk', async () => {
    kafka.refusals.set(0, 'unavailable');
    const first = publish([message('a')]);
    await Promise.resolve();
    await promisesSettled();
    kafka.refusals.clear();
    expect(await publish([message('b')])).toEqual(['b queued']);
    expect(await first).toEqual(['a queued']);
    await drain();
    expect(kafka.logs[0]).toEqual(['a', 'b']);
  });

  describe('the end of a backlog', () => {
    let release: () => void;
    let draining: Promise<void>;

    /** Three events wait. The first group of two is drained, and the last event is on its way to Kafka. */
    beforeEach(async () => {
      kafka.refusals.set(0, 'unavailable');
      await publish([message('a'), message('b'), message('c')]);
      kafka.refusals.clear();
      let groups = 0;
      draining = pipeline
        .replay(async (entries) => {
          groups += 1;
          if (groups === 2) await new Promise<void>((resolve) => (release = resolve));
          const deliveries = await kafka.publish(entries.map(({ item }) => item as EventMessage));
          if (deliveries.some(({ kind }) => kind !== 'written')) throw new Error('not written');
        })
        .then(() => undefined);
      await settle();
    });

    it('new events wait for the last ones of a backlog, and go to Kafka after them in their order', async () => {
      const answers = Promise.all([publish([message('d')]), publish([message('e')])]);
      await settle();
      expect([kafka.logs[0], queue.entries]).toEqual([['a', 'b'], 1]);
      release();
      expect(await answers).toEqual([['d written'], ['e written']]);
      await draining;
      expect([kafka.logs[0], queue.isEmpty, queued, holdClock.pending]).toEqual([['a', 'b', 'c', 'd', 'e'], true, 3, 0]);
    });

    it('new events join the outbox when the last ones of a backlog fail', async () => {
      const answer = publish([message('d')]);
      await settle();
      kafka.refusals.set(0, 'unavailable');
      release();
      expect(await answer).toEqual(['d queued']);
      await draining;
      expect([queue.entries, queue.isAlmostReplayed('purchases/0'), holdClock.pending]).toEqual([2, false, 0]);
      kafka.refusals.clear();
      await drain();
      expect(kafka.logs[0]).toEqual(['a', 'b', 'c', 'd']);
    });

    it('new events join the outbox after a wait of 100 ms for the end of a backlog', async () => {
      const answer = publish([message('d')]);
      await settle();
      await holdClock.advance(100);
      expect(await answer).toEqual(['d queued']);
      release();
      await draining;
      await drain();
      expect(kafka.logs[0]).toEqual(['a', 'b', 'c', 'd']);
    });

    it('no event waits for the end of a backlog while Kafka is down', async () => {
      kafka.downCause = new Error('refused');
      expect(await publish([message('d')])).toEqual(['d queued']);
      expect(holdClock.pending).toBe(0);
      release();
      await draining;
    });
  });

  it('a full outbox is named in the answer, keeps nothing of that request, and takes events again after a drain', async () => {
    kafka.refusals.set(0, 'unavailable');
    expect(await publish([message('a', 0, 1500)])).toEqual(['a queued']);
    expect(await publish([message('b', 0, 500)])).toEqual(['b outbox-full']);
    expect(failed).toEqual(['outbox-full 1']);
    kafka.refusals.clear();
    await drain();
    kafka.refusals.set(0, 'unavailable');
    expect(await publish([message('b', 0, 500)])).toEqual(['b queued']);
  });

  it('an event stays in doubt when its send has no outcome and the outbox is full', async () => {
    kafka.refusals.set(0, 'unknown');
    expect(await publish([message('a', 0, 3000)])).toEqual(['a unknown']);
    expect(failed).toEqual(['unknown 1']);
  });

  it('the publisher answers that the disk failed when a sync fails, and takes events again in another segment', async () => {
    kafka.refusals.set(0, 'unavailable');
    await publish([message('a')]);
    directory.failingSyncs = 1;
    expect(await publish([message('b')])).toEqual(['b outbox-failed']);
    expect(await publish([message('c')])).toEqual(['c queued']);
    expect((await directory.list()).filter(({ name }) => name.endsWith('.log'))).toHaveLength(2);
    kafka.refusals.clear();
    await drain();
    expect(kafka.logs[0]).toEqual(['a', 'c']);
  });

  it('the publisher does not store an event whose client has gone', async () => {
    const client = new ClientPresence();
    kafka.held = promisesSettled();
    kafka.refusals.set(0, 'unavailable');
    const answer = publish([message('a')], client);
    client.leave(new Error('gone'));
    expect(await answer).toEqual(['a unavailable']);
    await promisesSettled();
    expect(queue.isEmpty).toBe(true);
  });
});

describe('OutboxDrainer', () => {
  let clock: ManualClock;
  let errors: unknown[];
  let drainer: OutboxDrainer;
  const replayed: string[] = [];

  beforeEach(() => {
    clock = new ManualClock();
    errors = [];
    replayed.length = 0;
    drainer = new OutboxDrainer({
      queue,
      replay: async (run, options) => await pipeline.replay(run, options),
      publisher: kafka,
      clock,
      random: () => 1,
      publishMsMax: 1000,
      retry: { baseMs: 100, factor: 2, waitMsMax: 1000 },
      onError: (error) => errors.push(error),
      onReplayed: (summary) => replayed.push(`${summary.replayed}/${summary.kept}`),
    });
  });

  it('the drainer publishes the waiting events in order when Kafka is back, and stops', async () => {
    kafka.refusals.set(0, 'unavailable');
    for (const id of ['a', 'b', 'c']) await publish([message(id)]);
    kafka.downCause = new Error('refused');
    drainer.start();
    await settle();
    expect(kafka.logs[0]).toEqual([]);
    kafka.downCause = undefined;
    kafka.refusals.clear();
    drainer.wake();
    await settle();
    expect([kafka.logs[0], replayed]).toEqual([['a', 'b', 'c'], ['3/0']]);
    await drainer.stop();
    expect(clock.pending).toBe(0);
  });

  it('the drainer makes no pass while nothing is durable, and waits after a pass without progress', async () => {
    let passes = 0;
    const state = { canReplay: false };
    const idle = new OutboxDrainer({
      queue: state,
      replay: async () => {
        passes += 1;
        await promisesSettled();
        return { replayed: 0, kept: 1 };
      },
      publisher: kafka,
      clock,
      random: () => 1,
      publishMsMax: 1000,
      retry: { baseMs: 100, factor: 2, waitMsMax: 1000 },
      onError: (error) => errors.push(error),
      onReplayed: () => undefined,
    });
    idle.start();
    idle.wake();
    await settle();
    expect(passes).toBe(0);
    state.canReplay = true;
    idle.wake();
    await settle();
    expect([passes, clock.pending]).toEqual([1, 1]);
    await clock.advance(100);
    await settle();
    expect(passes).toBe(2);
    await idle.stop();
    expect(clock.pending).toBe(0);
  });

  it('the drainer waits longer after each pass that left events, and drains the partitions that work', async () => {
    kafka.refusals.set(0, 'unavailable').set(1, 'unavailable');
    await publish([message('a'), message('b', 1)]);
    kafka.refusals.delete(1);
    drainer.start();
    await settle();
    expect([kafka.logs[1], replayed]).toEqual([['b'], ['1/1']]);
    await clock.advance(100);
    await settle();
    await clock.advance(150);
    await settle();
    kafka.refusals.clear();
    await clock.advance(50);
    await settle();
    expect([kafka.logs[0], errors]).toEqual([['a'], []]);
    await drainer.stop();
  });
});
