import { randomUUID } from 'node:crypto';
import type { Admin, Kafka, KafkaMessage } from 'kafkajs';
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

/** A topic to create. */
export interface NewTopic {
  readonly topic: string;
  readonly partitions: number;
  /** Settings as Kafka names them. Default: those of the broker. */
  readonly config?: Readonly<Record<string, string>>;
}

/** Creates a topic and waits until each partition has a leader. */
export async function createTopic(admin: Admin, { topic, partitions, config = {} }: NewTopic): Promise<void> {
  const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
  // kafkajs's own wait for leaders fails on a broker that does not know the topic yet.
  await admin.createTopics({ waitForLeaders: false, topics: [{ topic, numPartitions: partitions, configEntries }] });
  await waitForLeaders(admin, topic, partitions);
}

/** Waits until every partition of a new topic has a leader. */
export async function waitForLeaders(admin: Pick<Admin, 'fetchTopicOffsets'>, topic: string, partitions: number): Promise<void> {
  await waitUntil(`the topic ${topic} to have leaders`, async () => (await admin.fetchTopicOffsets(topic)).length === partitions);
}

/**
 * Reads the messages of a topic, sorted by partition and offset, up to its ends at the time of the call.
 *
 * @param from first offset of each partition. Default: the begin of the log
 */
export async function readMessages(kafka: Kafka, topic: string, from: ReadonlyMap<number, number> = new Map()): Promise<TopicMessage[]> {
  const ranges = await readRanges(kafka, topic, from);
  const open = new Set([...ranges].filter(([, { start, end }]) => end > start).map(([partition]) => partition));
  const found: TopicMessage[] = [];
  if (open.size === 0) return found;
  const consumer = kafka.consumer({ groupId: `${topic}-${randomUUID()}`, allowAutoTopicCreation: false });
  await consumer.connect();
  try {
    await consumer.subscribe({ topic, fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      // After a start of Kafka its group coordinator loads. kafkajs then crashes and restarts.
      consumer.on('consumer.crash', ({ payload: { error, restart } }) => {
        if (!restart) reject(error);
      });
      const eachMessage = ({ partition, message }: { readonly partition: number; readonly message: KafkaMessage }): Promise<void> => {
        const offset = Number(message.offset);
        const { start, end } = ranges.get(partition)!;
        if (offset >= start && offset < end) found.push(toTopicMessage(partition, message));
        if (offset >= end - 1) open.delete(partition);
        if (open.size === 0) resolve();
        return Promise.resolve();
      };
      consumer.run({ autoCommit: false, eachMessage }).catch(reject);
      for (const partition of open) consumer.seek({ topic, partition, offset: String(ranges.get(partition)!.start) });
    });
  } finally {
    await consumer.disconnect();
  }
  return found.toSorted((a, b) => a.partition - b.partition || Number(a.offset) - Number(b.offset));
}

async function readRanges(
  kafka: Kafka,
  topic: string,
  from: ReadonlyMap<number, number>,
): Promise<ReadonlyMap<number, { readonly start: number; readonly end: number }>> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const offsets = await admin.fetchTopicOffsets(topic);
    return new Map(
      offsets.map(({ partition, low, high }) => [partition, { start: Math.max(Number(low), from.get(partition) ?? 0), end: Number(high) }]),
    );
  } finally {
    await admin.disconnect();
  }
}

function toTopicMessage(partition: number, { offset, key, value, headers = {} }: KafkaMessage): TopicMessage {
  return {
    partition,
    offset,
    key: key?.toString(),
    value: value?.toString() ?? '',
    headers: Object.fromEntries(Object.entries(headers).map(([name, one]) => [name, String(one)])),
  };
}
