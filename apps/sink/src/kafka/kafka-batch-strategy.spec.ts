import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { plainAccess } from '@millrace/kafka/access';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { KafkaBatchStrategy } from './kafka-batch-strategy.ts';
import { FakeKafka } from '../testing/fake-kafka.ts';

const topic = 'topic';
let kafka: FakeKafka;
let strategy: KafkaBatchStrategy;
let assigned: (readonly number[])[];
let ended: string[];
beforeEach(() => {
  kafka = new FakeKafka();
  strategy = new KafkaBatchStrategy(
    {
      access: plainAccess([]),
      clientId: 'sink',
      topic,
      groupId: 'group',
      maxMessageBytes: 1_048_576,
      metadataMs: 30_000,
      leaveMsMax: 100,
      guard: async (call) => await call(),
      log: () => undefined,
    },
    () => kafka,
  );
  assigned = [];
  ended = [];
  strategy.listener = {
    connected: () => undefined,
    assigned: (partitions) => void assigned.push(partitions),
    crashed: ({ message }) => void ended.push(`crashed: ${message}`),
    startRefused: ({ message }) => void ended.push(`refused: ${message}`),
  };
});
afterEach(async () => await strategy.close());

describe('a partition handle', () => {
  it('a handle seeks and pauses in the group, and outside it does nothing instead of throwing as kafkajs does', async () => {
    const log = strategy.partition(3);
    const each = (): void => {
      log.seek(7);
      log.pause();
      log.resume();
    };
    each();
    strategy.listen(() => undefined);
    await kafka.running();
    // The consumer runs and has not joined, so its start position is unknown.
    each();
    expect(kafka.told).toEqual([]);
    kafka.join(topic, [3]);
    each();
    expect(kafka.told).toEqual(['seek 3 to 7', 'pause 3', 'resume 3']);
    kafka.crash();
    expect(strategy.state.joined).toBe(false);
    each();
    await kafka.running();
    each();
    expect(kafka.told).toHaveLength(3);
    kafka.join(topic, [3]);
    each();
    expect(kafka.told).toHaveLength(6);
    expect(assigned).toEqual([[3], [3]]);
  });

  it('the strategy stays out of the group when a join succeeds after the consumer was stopped', async () => {
    strategy.listen(() => undefined);
    await kafka.running();
    await strategy.close();
    kafka.join(topic, [3]);
    expect(assigned).toEqual([]);
    expect(strategy.state.joined).toBe(false);
  });
});

describe('the end of a consumer', () => {
  it('the end of a consumer is reported as a crash with its cause', async () => {
    strategy.listen(() => undefined);
    await kafka.running();
    kafka.crash();
    await expect.poll(() => ended).toEqual(['crashed: the connection was lost']);
  });

  it('a start is reported as refused when Kafka does not answer before the first consumer starts', async () => {
    kafka.connectAdmin = async () => await Promise.reject(new Error('SASL authentication failed'));
    strategy.listen(() => undefined);
    await expect.poll(() => ended).toEqual(['refused: SASL authentication failed']);
  });
});

describe('the offsets of the topic', () => {
  it('the end offsets and the committed offsets are known while the group is not joined', async () => {
    kafka.fetchTopicOffsets = async () => [{ partition: 0, low: '2', high: '9' }];
    kafka.fetchOffsets = async () => [
      {
        topic,
        partitions: [
          { partition: 0, offset: '4' },
          { partition: 1, offset: '-1' },
        ],
      },
    ];
    expect(await strategy.ends()).toEqual(new Map([[0, 9]]));
    expect(await strategy.committed()).toEqual(new Map([[0, 4]]));
  });
});

describe('the range of a partition', () => {
  it('a range is requested once for lanes that ask together, and again for a lane that asks during a request', async () => {
    let high = 10;
    const answers: (() => void)[] = [];
    kafka.fetchTopicOffsets = async () => {
      const now = String(high);
      await new Promise<void>((resolve) => answers.push(resolve));
      return [0, 1].map((partition) => ({ partition, low: '0', high: now }));
    };
    const { signal } = new AbortController();
    const together = [strategy.partition(0).range(signal), strategy.partition(1).range(signal)];
    await expect.poll(() => answers.length).toBe(1);
    // The log grows, and a lane reads on.
    high = 20;
    const later = [strategy.partition(0).range(signal), strategy.partition(1).range(signal)];
    answers[0]!();
    expect(await Promise.all(together)).toEqual([
      { low: 0, high: 10 },
      { low: 0, high: 10 },
    ]);
    await expect.poll(() => answers.length).toBe(2);
    answers[1]!();
    expect(await Promise.all(later)).toEqual([
      { low: 0, high: 20 },
      { low: 0, high: 20 },
    ]);
    expect(answers).toHaveLength(2);
  });

  it('a range is requested again after a failure, and no longer awaited when the signal aborts', async () => {
    kafka.fetchTopicOffsets = async () => {
      throw new Error('no broker');
    };
    await expect(strategy.partition(0).range(new AbortController().signal)).rejects.toThrow('no broker');
    kafka.fetchTopicOffsets = async () => [{ partition: 0, low: '1', high: '2' }];
    await expect(strategy.partition(0).range(new AbortController().signal)).resolves.toEqual({ low: 1, high: 2 });
    kafka.fetchTopicOffsets = async () => await new Promise<never>(() => undefined);
    const stopping = new AbortController();
    const asked = strategy.partition(0).range(stopping.signal);
    stopping.abort(new Error('the lane stops'));
    await expect(asked).rejects.toThrow('the lane stops');
  });
});

it.each(['disk', 'admin client'])('a strategy that is closed while it waits for the %s starts no consumer', async (what) => {
  const waits = Promise.withResolvers<void>();
  const waiting = Promise.withResolvers<void>();
  if (what === 'admin client') {
    kafka.connectAdmin = async () => {
      waiting.resolve();
      await waits.promise;
    };
  } else {
    waiting.resolve();
  }
  const begun = vi.spyOn(kafka, 'consumer');
  const ready = what === 'disk' ? waits.promise : Promise.resolve();
  const own = new KafkaBatchStrategy(
    {
      access: plainAccess([]),
      clientId: 'sink',
      topic,
      groupId: 'group',
      maxMessageBytes: 1_048_576,
      metadataMs: 30_000,
      ready,
      leaveMsMax: 100,
      guard: async (call) => await call(),
      log: () => undefined,
    },
    () => kafka,
  );
  own.listen(() => undefined);
  await waiting.promise;
  const closed = own.close();
  if (what === 'admin client') waits.resolve();
  await closed;
  expect(begun).not.toHaveBeenCalled();
});

it('closing waits at most leaveMsMax for a broker that does not answer', async () => {
  strategy.listen(() => undefined);
  await kafka.running();
  kafka.disconnect = async () => await new Promise<never>(() => undefined);
  await expect(strategy.close()).resolves.toBeUndefined();
  kafka.disconnect = async () => undefined;
}, 10_000);

it('the strategy tries Kafka once per call of its guard: the caller retries, where the circuit can see it', async () => {
  let calls = 0;
  const connections: number[] = [];
  // A broker that takes connections and hangs up.
  const server = createServer((socket) => {
    connections.push(calls);
    socket.destroy();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const thrice = Promise.withResolvers<void>();
  const own = new KafkaBatchStrategy({
    access: plainAccess([`127.0.0.1:${(server.address() as AddressInfo).port}`]),
    clientId: 'test',
    topic: 'purchases',
    groupId: 'test',
    maxMessageBytes: 1_048_576,
    metadataMs: 30_000,
    leaveMsMax: 100,
    guard: async (call) => {
      calls += 1;
      if (calls > 3) thrice.resolve();
      return await call();
    },
    log: () => undefined,
  });
  try {
    own.listen(() => undefined);
    await thrice.promise;
  } finally {
    await own.close();
    server.close();
  }
  expect(connections.slice(0, 3)).toEqual([1, 2, 3]);
});
