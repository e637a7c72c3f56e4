import { cloudEventsVersion, headerNames, type Stream } from '@millrace/contracts';
import { lastHeader } from '@millrace/kafka';
import kafkajs from 'kafkajs';
import { OperatorError } from '../errors.ts';
import { kafkaOf, logRanges, withAdmin } from '../kafka-log.ts';
import { grouped } from '../numbers.ts';
import type { Correction } from './correction.ts';

/** An event to produce. */
export interface WantedEvent {
  /** Line of the file it came from. */
  readonly line: number;
  readonly partition: number;
  readonly correction: Extract<Correction, { kind: 'good' }>;
}

/** The partition of each key in a topic, by the rule that every producer of it follows. */
export async function partitionerOf(env: Readonly<Record<string, string>>, topic: string): Promise<(key: string) => number> {
  const ranges = await withAdmin(env, async (admin) => await logRanges(admin, topic));
  const partitionMetadata = ranges.map(({ partition }) => ({ partitionErrorCode: 0, partitionId: partition, leader: 0, replicas: [], isr: [] }));
  const partitioner = kafkajs.Partitioners.DefaultPartitioner();
  return (key) => partitioner({ topic, partitionMetadata, message: { key: Buffer.from(key), value: null } });
}

/**
 * Produces events one after the other, each acknowledged by every replica. Resolves with the offset of each by its line.
 *
 * @throws OperatorError saying how many were produced when one was not; a second run leaves those alone
 */
export async function produceCorrections(env: Readonly<Record<string, string>>, stream: Stream, wanted: readonly WantedEvent[], signal: AbortSignal, note: (text: string) => void): Promise<ReadonlyMap<number, string>> {
  // One send at a time: an answer lost among several would leave open which of them the broker took.
  const producer = kafkaOf(env).producer({ idempotent: true, maxInFlightRequests: 1, createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  const offsets = new Map<number, string>();
  try {
    await producer.connect();
    for (const { line, partition, correction } of wanted) {
      signal.throwIfAborted();
      const { key, value } = correction;
      const [sent] = await producer.send({ topic: stream.topic.name, acks: -1, messages: [{ partition, key, value, headers: headersOf(stream, correction) }] });
      offsets.set(line, sent?.baseOffset ?? '');
      note(`${grouped(offsets.size)} acknowledged`);
    }
    return offsets;
  } catch (error) {
    const done = `${grouped(offsets.size)} of ${grouped(wanted.length)} events were put through`;
    signal.throwIfAborted();
    throw new OperatorError(`${done}, then Kafka refused: ${(error as Error).message}. Run it again: what was put through is left alone.`);
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
