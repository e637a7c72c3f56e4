import { randomUUID } from 'node:crypto';
import { purchases } from '@millrace/contracts';
import { waitUntil } from '@millrace/testing';
import type { Admin, KafkaMessage } from 'kafkajs';
import { kafka } from './stack.ts';

/** A message with the place it has in its topic. */
export interface TopicMessage {
  readonly partition: number;
  readonly offset: string;
  readonly key: string | undefined;
  readonly value: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Creates a topic with the settings of the contract under another name. */
export async function createTopic(name: string): Promise<string> {
  const topic = `${name}-${randomUUID().slice(0, 8)}`;
  const config = Object.entries(purchases.topic.config).map(([key, value]) => ({ name: key, value }));
  await withAdmin(async (admin) => {
    // kafkajs's own wait for leaders fails on a broker that has not heard of the topic yet.
    await admin.createTopics({ topics: [{ topic, numPartitions: purchases.topic.partitions, configEntries: config }], waitForLeaders: false });
    await waitForLeaders(admin, topic, purchases.topic.partitions);
  });
  return topic;
}

/** Waits until every partition of a new topic has a leader. */
export async function waitForLeaders(admin: Pick<Admin, 'fetchTopicOffsets'>, topic: string, partitions: number): Promise<void> {
  await waitUntil(`the topic ${topic} to have leaders`, async () => (await admin.fetchTopicOffsets(topic)).length === partitions);
}

/** Deletes a topic. */
export async function deleteTopic(topic: string): Promise<void> {
  await withAdmin(async (admin) => await admin.deleteTopics({ topics: [topic] }));
}

/** The end of each partition: the offset that its next message gets. */
export async function endOffsets(topic: string): Promise<number[]> {
  const offsets = await withAdmin(async (admin) => await admin.fetchTopicOffsets(topic));
  return offsets.toSorted((a, b) => a.partition - b.partition).map(({ high }) => Number(high));
}

/** Every message from the given offsets (default: the beginning) to the ends as they are now. */
export async function readTopic(topic: string, from?: readonly number[]): Promise<TopicMessage[]> {
  const ends = await endOffsets(topic);
  const starts = from ?? ends.map(() => 0);
  const left = new Set(ends.flatMap((end, partition) => (end > starts[partition]! ? [partition] : [])));
  const messages: TopicMessage[] = [];
  if (left.size === 0) return messages;
  const consumer = kafka.consumer({ groupId: `e2e-${randomUUID()}`, allowAutoTopicCreation: false });
  await consumer.connect();
  try {
    await consumer.subscribe({ topic, fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      consumer.on('consumer.crash', ({ payload }) => reject(payload.error));
      const eachMessage = ({ partition, message }: { partition: number; message: KafkaMessage }): Promise<void> => {
        const offset = Number(message.offset);
        if (offset >= starts[partition]! && offset < ends[partition]!) messages.push(messageOf(partition, message));
        if (offset + 1 >= ends[partition]!) left.delete(partition);
        if (left.size === 0) resolve();
        return Promise.resolve();
      };
      consumer.run({ autoCommit: false, eachMessage }).catch(reject);
      for (const partition of left) consumer.seek({ topic, partition, offset: String(starts[partition]) });
    });
  } finally {
    await consumer.disconnect();
  }
  return messages;
}

function messageOf(partition: number, { offset, key, value, headers = {} }: KafkaMessage): TopicMessage {
  return {
    partition,
    offset,
    key: key?.toString(),
    value: value?.toString() ?? '',
    headers: Object.fromEntries(Object.entries(headers).map(([name, one]) => [name, String(one)])),
  };
}

async function withAdmin<T>(use: (admin: ReturnType<typeof kafka.admin>) => Promise<T>): Promise<T> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    return await use(admin);
  } finally {
    await admin.disconnect();
  }
}
