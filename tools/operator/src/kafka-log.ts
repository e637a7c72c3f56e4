import { kafkaClient } from '@millrace/kafka';
import kafkajs from 'kafkajs';
import { OperatorError } from './errors.ts';

/** What a topic partition holds: the offsets [low, high). */
export interface LogRange {
  readonly partition: number;
  readonly low: number;
  readonly high: number;
}

/** A Kafka client of the environment's brokers. */
export function kafkaOf(env: Readonly<Record<string, string>>): kafkajs.Kafka {
  const brokers = (env['KAFKA_BROKERS'] ?? '127.0.0.1:9092').split(',');
  return kafkaClient({ brokers, clientId: 'millrace-operator', logLevel: kafkajs.logLevel.NOTHING, connectionTimeout: 2000, requestTimeout: 10_000, retry: { retries: 3 } });
}

/**
 * Runs with an admin client.
 *
 * @throws OperatorError when Kafka does not answer
 */
export async function withAdmin<T>(env: Readonly<Record<string, string>>, run: (admin: kafkajs.Admin) => Promise<T>): Promise<T> {
  const admin = kafkaOf(env).admin();
  try {
    await admin.connect();
    return await run(admin);
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    throw new OperatorError(`Kafka at ${env['KAFKA_BROKERS'] ?? '127.0.0.1:9092'} does not answer: ${(error as Error).message}. Start it with ./millrace start kafka, or point KAFKA_BROKERS at it.`);
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

/** The ranges of all partitions of a topic, by partition. */
export async function logRanges(admin: kafkajs.Admin, topic: string): Promise<LogRange[]> {
  const offsets = await admin.fetchTopicOffsets(topic);
  return offsets.map(({ partition, low, high }) => ({ partition, low: Number(low), high: Number(high) })).toSorted((a, b) => a.partition - b.partition);
}
