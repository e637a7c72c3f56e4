import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { purchases } from '@millrace/contracts';
import kafkajs, { type Admin, type Message, type Producer } from 'kafkajs';
import { kafkaOf } from '../kafka/kafka-log.ts';
import { kafkaAccessFor } from '../target.ts';

/** A private topic of a test on the real Kafka. */
export class OwnTopic {
  readonly name: string;
  readonly admin: Admin;
  readonly #producer: Producer;

  private constructor(name: string, admin: Admin, producer: Producer) {
    this.name = name;
    this.admin = admin;
    this.#producer = producer;
  }

  static async open(
    env: Readonly<Record<string, string>>,
    partitions = purchases.topic.partitions,
    config: Readonly<Record<string, string>> = purchases.topic.config,
  ): Promise<OwnTopic> {
    const kafka = kafkaOf(kafkaAccessFor(env));
    const topic = new OwnTopic(
      `operator-${randomUUID().slice(0, 8)}`,
      kafka.admin(),
      kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner }),
    );
    await topic.admin.connect();
    await topic.admin.createTopics({
      waitForLeaders: false,
      topics: [
        { topic: topic.name, numPartitions: partitions, configEntries: Object.entries(config).map(([name, value]) => ({ name, value })) },
      ],
    });
    while ((await topic.admin.fetchTopicOffsets(topic.name).catch(() => [])).length < partitions) await pause(50);
    await topic.#producer.connect();
    return topic;
  }

  async produce(messages: readonly Message[]): Promise<void> {
    for (let start = 0; start < messages.length; start += 1000)
      await this.#producer.send({ topic: this.name, acks: -1, messages: messages.slice(start, start + 1000) });
  }

  /** Consumer groups that an operation left behind. */
  async leftGroups(): Promise<string[]> {
    return (await this.admin.listGroups()).groups
      .map(({ groupId }) => groupId)
      .filter((id) => id.startsWith('millrace-operator-') || id.startsWith('millrace-replay-'));
  }

  async close(): Promise<void> {
    await this.#producer.disconnect();
    await this.admin.deleteTopics({ topics: [this.name] }).catch(() => undefined);
    await this.admin.disconnect();
  }
}

/** Makes the message of a purchase. */
export function purchaseMessage(
  eventId: string,
  {
    partition,
    at = 1_575_121_641,
    ...overrides
  }: { readonly partition?: number; readonly at?: number; readonly [field: string]: unknown } = {},
): Message {
  const event = {
    eventId,
    bookId: 'ec437d98-455d-4fec-8dbe-2c2630454bdd',
    title: 'Orlando',
    author: 'Virginia Woolf',
    genre: 'Fiction',
    userId: 'test-user',
    userCountry: 'country',
    userAge: 24,
    purchaseTimestamp: at,
    ...overrides,
  };
  return {
    key: event.userId,
    value: JSON.stringify(event),
    headers: { ce_id: eventId },
    ...(partition === undefined ? {} : { partition }),
  };
}
