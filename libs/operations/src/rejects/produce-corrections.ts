import { cloudEventsVersion, headerNames, type Stream } from '@millrace/contracts';
import { lastHeader } from '@millrace/kafka';
import type { KafkaAccess } from '@millrace/kafka/access';
import kafkajs from 'kafkajs';
import { OperationError } from '../errors.ts';
import { kafkaOf, logRanges, withAdmin } from '../kafka/kafka-log.ts';
import { grouped } from '../numbers.ts';
import type { Correction } from './correction.ts';

/** An event to produce. */
export interface WantedEvent {
  /** Number of its line, from 1. */
  readonly line: number;
  readonly partition: number;
  readonly correction: Extract<Correction, { kind: 'good' }>;
}

/** Returns the function that maps a key to its partition, by the rule that every producer of the topic follows. */
export async function partitionerOf(kafka: KafkaAccess, topic: string): Promise<(key: string) => number> {
  const ranges = await withAdmin(kafka, async (admin) => await logRanges(admin, topic));
  const partitionMetadata = ranges.map(({ partition }) => ({
    partitionErrorCode: 0,
    partitionId: partition,
    leader: 0,
    replicas: [],
    isr: [],
  }));
  const partitioner = kafkajs.Partitioners.DefaultPartitioner();
  return (key) => partitioner({ topic, partitionMetadata, message: { key: Buffer.from(key), value: null } });
}

/**
 * Produces events one after the other, each acknowledged by every in-sync replica. Resolves with the offset of each event by its line.
 *
 * @throws OperationError `unfinished` with the number of produced events. A second run skips those
 */
export async function produceCorrections(
  kafka: KafkaAccess,
  stream: Stream,
  wanted: readonly WantedEvent[],
  signal: AbortSignal,
  note: (text: string) => void,
): Promise<ReadonlyMap<number, string>> {
  // One send at a time: a lost answer among several does not show which of them the broker took.
  const producer = kafkaOf(kafka).producer({
    idempotent: true,
    maxInFlightRequests: 1,
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
  });
  const offsets = new Map<number, string>();
  try {
    await producer.connect();
    for (const { line, partition, correction } of wanted) {
      signal.throwIfAborted();
      const { key, value } = correction;
      const [sent] = await producer.send({
        topic: stream.topic.name,
        acks: -1,
        messages: [{ partition, key, value, headers: headersOf(stream, correction) }],
      });
      offsets.set(line, sent?.baseOffset ?? '');
      note(`${grouped(offsets.size)} acknowledged`);
    }
    return offsets;
  } catch (error) {
    const done = `${grouped(offsets.size)} of ${grouped(wanted.length)} events were produced`;
    signal.throwIfAborted();
    throw new OperationError(
      'unfinished',
      `${done}, then Kafka refused: ${(error as Error).message}. Run it again: it skips the events that were produced.`,
      { cause: error },
    );
  } finally {
    await producer.disconnect().catch(() => undefined);
  }
}

function headersOf(stream: Stream, { eventId, value, original }: WantedEvent['correction']): Record<string, string> {
  const seconds = Number((JSON.parse(value.toString('utf8')) as Record<string, unknown>)[stream.timeField]);
  const traceparent = lastHeader(original.headers, headerNames.traceparent)?.toString('utf8');
  return {
    [headerNames.id]: eventId,
    [headerNames.type]: stream.eventType,
    [headerNames.source]: stream.eventSource,
    [headerNames.specVersion]: cloudEventsVersion,
    [headerNames.time]: new Date(seconds * 1000).toISOString(),
    [headerNames.contentType]: 'application/json',
    ...(traceparent === undefined ? {} : { [headerNames.traceparent]: traceparent }),
  };
}
