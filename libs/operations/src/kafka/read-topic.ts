import { readTopic as readRanges, type ReadTopicOptions as ReadRangesOptions } from '@millrace/kafka';
import { OperationError } from '../errors.ts';
import { kafkaOf, withAdmin } from './kafka-log.ts';

/** The ranges to read, and the callbacks. */
export interface ReadTopicOptions extends Omit<ReadRangesOptions, 'kafka' | 'groupPrefix'> {
  /** Addresses of Kafka brokers, `host:port`. */
  readonly brokers: readonly string[];
  readonly signal: AbortSignal;
}

/**
 * Reads ranges of a topic with the sink's decoder, each record once. Leaves no consumer group behind.
 *
 * @throws OperationError `unavailable` when Kafka does not answer or offsets cannot be read; the signal's reason once it aborts
 */
export async function readTopic({ brokers, ...options }: ReadTopicOptions): Promise<void> {
  if ([...options.ranges.values()].every((ranges) => ranges.every(([from, to]) => to <= from))) return;
  // The consumer retries for long. This call fails at once when Kafka is down.
  await withAdmin(brokers, async () => await Promise.resolve());
  try {
    await readRanges({ ...options, kafka: kafkaOf(brokers), groupPrefix: 'millrace-operator' });
  } catch (error) {
    options.signal.throwIfAborted();
    throw new OperationError(
      'unavailable',
      `The topic ${options.topic} cannot be read from Kafka at ${brokers.join(',')}: ${(error as Error).message}.`,
      { cause: error },
    );
  }
}
