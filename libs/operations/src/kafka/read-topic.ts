import { readTopic as readRanges, type ReadTopicOptions as ReadRangesOptions } from '@millrace/kafka';
import type { KafkaAccess } from '@millrace/kafka/access';
import { OperationError } from '../errors.ts';
import { kafkaOf, withAdmin } from './kafka-log.ts';

/** The ranges to read, and the callbacks. */
export interface ReadTopicOptions extends Omit<ReadRangesOptions, 'kafka' | 'groupPrefix'> {
  /** How to reach Kafka. */
  readonly kafka: KafkaAccess;
  readonly signal: AbortSignal;
}

/**
 * Reads ranges of a topic with the sink's decoder, each record once. Leaves no consumer group behind.
 *
 * @throws OperationError `unavailable` when Kafka does not answer or offsets cannot be read; the signal's reason once it aborts
 */
export async function readTopic({ kafka, ...options }: ReadTopicOptions): Promise<void> {
  if ([...options.ranges.values()].every((ranges) => ranges.every(([from, to]) => to <= from))) return;
  // The consumer retries for long. This call fails at once when Kafka is down.
  await withAdmin(kafka, async () => await Promise.resolve());
  try {
    await readRanges({ ...options, kafka: kafkaOf(kafka), groupPrefix: 'millrace-operator' });
  } catch (error) {
    options.signal.throwIfAborted();
    throw new OperationError(
      'unavailable',
      `The topic ${options.topic} cannot be read from Kafka at ${kafka.brokers.join(',')}: ${(error as Error).message}.`,
      { cause: error },
    );
  }
}
