import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KafkaBatchStrategy } from './kafka-batch-strategy.ts';
import { FakeKafka } from './testing/fake-kafka.ts';

const topic = 'topic';
let kafka: FakeKafka;
let strategy: KafkaBatchStrategy;
let assigned: (readonly number[])[];
beforeEach(() => {
  kafka = new FakeKafka();
  strategy = new KafkaBatchStrategy({ brokers: [], clientId: 'sink', topic, groupId: 'group', guard: async (call) => await call(), log: () => undefined }, kafka);
  assigned = [];
  strategy.listener = { connected: () => undefined, assigned: (partitions) => void assigned.push(partitions) };
});
afterEach(async () => await strategy.close());

describe('the handle on a partition', () => {
  it('seeks and pauses in the group, and out of it does nothing instead of throwing as kafkajs does', async () => {
    const log = strategy.partition(3);
    const each = (): void => {
      log.seek(7);
      log.pause();
      log.resume();
    };
    each();
    strategy.listen(() => undefined);
    await kafka.running();
    // It runs and has not joined: where it will begin is not known.
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

  it('stays out of the group when a join succeeds after the consumer was stopped', async () => {
    strategy.listen(() => undefined);
    await kafka.running();
    await strategy.close();
    kafka.join(topic, [3]);
    expect(assigned).toEqual([]);
    expect(strategy.state.joined).toBe(false);
  });
});
