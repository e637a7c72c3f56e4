import { kafkaClient } from '@millrace/kafka';
import kafkajs from 'kafkajs';
import { OperationError } from '../errors.ts';

/** The offsets [low, high) that a topic partition holds. */
export interface LogRange {
  readonly partition: number;
  readonly low: number;
  readonly high: number;
}

/** Makes a Kafka client. */
export function kafkaOf(brokers: readonly string[]): kafkajs.Kafka {
  return kafkaClient({
    brokers: [...brokers],
    clientId: 'millrace-operator',
    logLevel: kafkajs.logLevel.NOTHING,
    connectionTimeout: 2000,
    requestTimeout: 10_000,
    retry: { retries: 3 },
  });
}

/**
 * Runs with an admin client.
 *
 * @throws OperationError `unavailable` when Kafka does not answer
 */
export async function withAdmin<T>(brokers: readonly string[], run: (admin: kafkajs.Admin) => Promise<T>): Promise<T> {
  const admin = kafkaOf(brokers).admin();
  try {
    await admin.connect();
    return await run(admin);
  } catch (error) {
    if (error instanceof OperationError) throw error;
    throw new OperationError(
      'unavailable',
      `Kafka at ${brokers.join(',')} does not answer: ${(error as Error).message}. Start it with ./millrace start kafka, or point KAFKA_BROKERS at it.`,
      { cause: error },
    );
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

/** Reads the offsets that a topic holds, sorted by partition. */
export async function logRanges(admin: kafkajs.Admin, topic: string): Promise<LogRange[]> {
  const offsets = await admin.fetchTopicOffsets(topic);
  return offsets
    .map(({ partition, low, high }) => ({ partition, low: Number(low), high: Number(high) }))
    .toSorted((a, b) => a.partition - b.partition);
}
