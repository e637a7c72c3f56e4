import { randomUUID } from 'node:crypto';
import { purchases } from '@millrace/contracts';
import { createTopic as createNamedTopic, readMessages, waitForLeaders, type TopicMessage } from '@millrace/testing';
import { kafka } from './stack.ts';

/** Creates a topic with the settings of the contract. Its name starts with `name`. */
export async function createTopic(name: string): Promise<string> {
  const topic = `${name}-${randomUUID().slice(0, 8)}`;
  const { partitions, config } = purchases.topic;
  await withAdmin(async (admin) => await createNamedTopic(admin, { topic, partitions, config }));
  return topic;
}

/** Adds partitions to a topic. */
export async function growTopic(topic: string, partitions: number): Promise<void> {
  await withAdmin(async (admin) => {
    await admin.createPartitions({ topicPartitions: [{ topic, count: partitions }] });
    await waitForLeaders(admin, topic, partitions);
  });
}

/** Deletes a topic. */
export async function deleteTopic(topic: string): Promise<void> {
  await withAdmin(async (admin) => await admin.deleteTopics({ topics: [topic] }));
}

/** Reads the end of each partition: the offset of its next message. */
export async function endOffsets(topic: string): Promise<number[]> {
  const offsets = await withAdmin(async (admin) => await admin.fetchTopicOffsets(topic));
  return offsets.toSorted((a, b) => a.partition - b.partition).map(({ high }) => Number(high));
}

/**
 * Reads the messages of a topic up to its current ends.
 *
 * @param from first offset of each partition. Default: the begin of the log
 */
export async function readTopic(topic: string, from: readonly number[] = []): Promise<TopicMessage[]> {
  return await readMessages(kafka, topic, new Map(from.entries()));
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
