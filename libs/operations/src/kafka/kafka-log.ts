import { kafkaClient } from '@millrace/kafka';
import { kafkajsAccess, kafkaRefusalOf, type KafkaAccess } from '@millrace/kafka/access';
import kafkajs from 'kafkajs';
import { OperationError } from '../errors.ts';

/** The offsets [low, high) that a topic partition holds. */
export interface LogRange {
  readonly partition: number;
  readonly low: number;
  readonly high: number;
}

/** Makes a Kafka client. */
export function kafkaOf(kafka: KafkaAccess): kafkajs.Kafka {
  return kafkaClient({
    ...kafkajsAccess(kafka),
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
 * @throws OperationError `unavailable` when Kafka does not answer, `refused` when it refuses the login, a certificate or a right
 */
export async function withAdmin<T>(kafka: KafkaAccess, run: (admin: kafkajs.Admin) => Promise<T>): Promise<T> {
  const admin = kafkaOf(kafka).admin();
  try {
    await admin.connect();
    return await run(admin);
  } catch (error) {
    if (error instanceof OperationError) throw error;
    const refusal = kafkaRefusalOf(error);
    if (refusal !== undefined) throw new OperationError('refused', `${refusal.message} Remedy: ${refusal.remedy}.`, { cause: error });
    throw new OperationError(
      'unavailable',
      `Kafka at ${kafka.brokers.join(',')} does not answer: ${(error as Error).message}. Start it with ./millrace start kafka, or point KAFKA_BROKERS at it.`,
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
