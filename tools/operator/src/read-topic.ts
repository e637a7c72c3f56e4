import { readTopic as readRanges, type ReadTopicOptions as ReadRangesOptions } from '@millrace/kafka';
import { OperatorError } from './errors.ts';
import { kafkaOf, withAdmin } from './kafka-log.ts';

/** The ranges to read, and the callbacks. */
export interface ReadTopicOptions extends Omit<ReadRangesOptions, 'kafka' | 'groupPrefix'> {
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/**
 * Reads ranges of a topic with the sink's decoder, each record once. Leaves no consumer group behind.
 *
 * @throws OperatorError when Kafka does not answer or offsets cannot be read; the signal's reason once it aborts
 */
export async function readTopic({ env, ...options }: ReadTopicOptions): Promise<void> {
  if ([...options.ranges.values()].every((ranges) => ranges.every(([from, to]) => to <= from))) return;
  // Says at once that Kafka is away; the consumer is patient.
  await withAdmin(env, async () => await Promise.resolve());
  try {
    await readRanges({ ...options, kafka: kafkaOf(env), groupPrefix: 'millrace-operator' });
  } catch (error) {
    options.signal.throwIfAborted();
    throw new OperatorError(`The topic ${options.topic} cannot be read from Kafka at ${env['KAFKA_BROKERS'] ?? '127.0.0.1:9092'}: ${(error as Error).message}.`);
  }
}
