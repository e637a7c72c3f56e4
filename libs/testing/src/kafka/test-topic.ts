import { randomUUID } from 'node:crypto';
import kafkajs, { type Admin } from 'kafkajs';
import { waitUntil } from '../wait-until.ts';

/** A message of a topic with decoded texts. */
export interface TopicMessage {
  readonly partition: number;
  /** Decimal. */
  readonly offset: string;
  readonly key: string | undefined;
  readonly value: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** A topic of a test's own on the real Kafka, seen by a client that no service of ours produces with. */
export class TestTopic {
  readonly name: string;
  readonly #kafka: kafkajs.Kafka;
  readonly #admin: Admin;

  private constructor(name: string, kafka: kafkajs.Kafka) {
    this.name = name;
    this.#kafka = kafka;
    this.#admin = kafka.admin();
  }

  /**
   * Creates it.
   *
   * @param prefix start of its name; the rest is random
   * @param brokers addresses, comma-separated. Default: `KAFKA_BROKERS`
   */
  static async create(prefix: string, { partitions = 8, config = {}, brokers = process.env['KAFKA_BROKERS'] ?? '' }: { readonly partitions?: number; readonly config?: Readonly<Record<string, string>>; readonly brokers?: string } = {}): Promise<TestTopic> {
    const topic = new TestTopic(`${prefix}-${randomUUID().slice(0, 8)}`, new kafkajs.Kafka({ brokers: brokers.split(','), logLevel: kafkajs.logLevel.NOTHING }));
    await topic.#admin.connect();
    await topic.#admin.createTopics({ waitForLeaders: false, topics: [{ topic: topic.name, numPartitions: partitions, configEntries: Object.entries(config).map(([name, value]) => ({ name, value })) }] });
    await waitUntil(`the topic ${topic.name} to have leaders`, async () => (await topic.#admin.fetchTopicOffsets(topic.name)).length === partitions);
    return topic;
  }

  /** Reads all messages, sorted by partition and offset. */
  async messages(): Promise<TopicMessage[]> {
    const ends = new Map((await this.#admin.fetchTopicOffsets(this.name)).map(({ partition, low, high }) => [partition, { low: Number(low), high: Number(high) }]));
    const open = new Set([...ends].filter(([, { low, high }]) => high > low).map(([partition]) => partition));
    const found: TopicMessage[] = [];
    if (open.size === 0) return found;
    const consumer = this.#kafka.consumer({ groupId: `${this.name}-${randomUUID()}` });
    await consumer.connect();
    await consumer.subscribe({ topic: this.name, fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      // A coordinator that is still loading, as after a start of Kafka, makes kafkajs crash and begin again.
      consumer.on('consumer.crash', ({ payload: { error, restart } }) => {
        if (!restart) reject(error);
      });
      consumer
        .run({
          autoCommit: false,
          eachMessage: async ({ partition, message: { offset, key, value, headers = {} } }) => {
            await Promise.resolve();
            if (Number(offset) >= ends.get(partition)!.high) return;
            found.push({
              partition,
              offset,
              key: key?.toString(),
              value: value?.toString() ?? '',
              headers: Object.fromEntries(Object.entries(headers).map(([name, one]) => [name, String(one)])),
            });
            if (Number(offset) === ends.get(partition)!.high - 1) open.delete(partition);
            if (open.size === 0) resolve();
          },
        })
        .catch(reject);
    });
    await consumer.disconnect();
    return found.toSorted((a, b) => a.partition - b.partition || Number(a.offset) - Number(b.offset));
  }

  /** Deletes it. */
  async delete(): Promise<void> {
    await this.#admin.deleteTopics({ topics: [this.name] });
    await this.#admin.disconnect();
  }
}
