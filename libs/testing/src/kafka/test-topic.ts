import { randomUUID } from 'node:crypto';
import kafkajs, { type Admin } from 'kafkajs';
import { createTopic, readMessages, type TopicMessage } from './topic-messages.ts';

/** A private topic of a test on the real Kafka, with another client than the services use. */
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
   * Creates the topic.
   *
   * @param prefix start of its name; the rest is random
   * @param brokers addresses, comma-separated. Default: `KAFKA_BROKERS`
   */
  static async create(
    prefix: string,
    {
      partitions = 8,
      config = {},
      brokers = process.env['KAFKA_BROKERS'] ?? '',
    }: { readonly partitions?: number; readonly config?: Readonly<Record<string, string>>; readonly brokers?: string } = {},
  ): Promise<TestTopic> {
    const topic = new TestTopic(
      `${prefix}-${randomUUID().slice(0, 8)}`,
      new kafkajs.Kafka({ brokers: brokers.split(','), logLevel: kafkajs.logLevel.NOTHING }),
    );
    await topic.#admin.connect();
    await createTopic(topic.#admin, { topic: topic.name, partitions, config });
    return topic;
  }

  /** Reads all messages, sorted by partition and offset. */
  async messages(): Promise<TopicMessage[]> {
    return await readMessages(this.#kafka, this.name);
  }

  /** The sum of the offsets that a consumer group committed. */
  async committed(groupId: string): Promise<number> {
    const [group] = await this.#admin.fetchOffsets({ groupId, topics: [this.name] });
    return group!.partitions.reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0);
  }

  /** Deletes the topic. */
  async delete(): Promise<void> {
    await this.#admin.deleteTopics({ topics: [this.name] });
    await this.#admin.disconnect();
  }
}
