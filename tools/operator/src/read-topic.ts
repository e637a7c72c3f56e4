import { randomUUID } from 'node:crypto';
import type { OffsetRange } from '@millrace/lake';
import type { Batch } from 'kafkajs';
import { OperatorError } from './errors.ts';
import { kafkaOf, withAdmin } from './kafka-log.ts';

/** A record of the topic. */
export interface TopicRecord {
  readonly partition: number;
  readonly offset: number;
  /** When Kafka took it, in milliseconds since the epoch. */
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** What is read, and how. */
export interface ReadTopicOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly topic: string;
  /** Ascending, disjoint ranges of offsets by partition. */
  readonly ranges: ReadonlyMap<number, readonly OffsetRange[]>;
  readonly signal: AbortSignal;
  /** Called for each record in the ranges, ascending within a partition. */
  readonly onRecord: (record: TopicRecord) => void;
  /** How many offsets have been passed. */
  readonly onProgress?: (passed: number) => void;
  /** Longest time without an answer, in milliseconds. Default 30,000. */
  readonly silentMsMax?: number;
}

/**
 * Reads ranges of a topic, each record once. Joins a consumer group of its own, commits nothing, and deletes the group afterwards,
 * whatever happens.
 *
 * @throws OperatorError when Kafka does not answer; the signal's reason once it aborts
 */
export async function readTopic({ env, topic, ranges, signal, onRecord, onProgress, silentMsMax = 30_000 }: ReadTopicOptions): Promise<void> {
  const left = new Map([...ranges].map(([partition, wanted]) => [partition, wanted.filter(([from, to]) => to > from)] as const).filter(([, wanted]) => wanted.length > 0).map(([partition, [...wanted]]) => [partition, wanted]));
  if (left.size === 0) return;
  signal.throwIfAborted();
  // Says at once where Kafka is not; the consumer is patient.
  await withAdmin(env, async () => await Promise.resolve());
  const groupId = `millrace-operator-${randomUUID()}`;
  const kafka = kafkaOf(env);
  const consumer = kafka.consumer({
    groupId,
    maxWaitTimeInMs: 250,
    maxBytesPerPartition: 4 * 1024 * 1024,
    // A coordinator that is still loading after a start of Kafka takes its time.
    retry: { initialRetryTime: 200, maxRetryTime: 2000, retries: 10, restartOnFailure: async () => false },
  });
  const ending = Promise.withResolvers<undefined>();
  let passed = 0;
  let lastAnswer = performance.now();

  // Where a partition goes on, or that it has nothing more to say. Must be told before kafkajs fetches: in the event, at once.
  const place = (partition: number): void => {
    const next = left.get(partition)?.[0];
    if (next === undefined) consumer.pause([{ topic, partitions: [partition] }]);
    else consumer.seek({ topic, partition, offset: String(next[0]) });
  };
  const take = (batch: Batch): void => {
    lastAnswer = performance.now();
    const wanted = left.get(batch.partition);
    if (wanted === undefined) return;
    for (const { offset: text, timestamp, key, value, headers } of batch.messages) {
      const offset = Number(text);
      for (let next = wanted[0]; next !== undefined && offset >= next[1]; next = wanted[0]) wanted.shift();
      const next = wanted[0];
      if (next === undefined) break;
      if (offset < next[0]) continue;
      passed += 1;
      wanted[0] = [offset + 1, next[1]];
      onRecord({ partition: batch.partition, offset, timestamp, key, value, headers: textsOf(headers) });
    }
    onProgress?.(passed);
    const end = Number(batch.lastOffset()) + 1;
    while (wanted[0] !== undefined && (wanted[0][0] >= wanted[0][1] || end >= wanted[0][1])) wanted.shift();
    if (wanted.length === 0) left.delete(batch.partition);
    if (left.size === 0) ending.resolve(undefined);
    else if (wanted.length === 0 || wanted[0]![0] > end) place(batch.partition);
  };

  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    for (const partition of payload.memberAssignment[topic] ?? []) place(partition);
  });
  consumer.on(consumer.events.CRASH, ({ payload }) => ending.reject(payload.error));
  const abort = (): void => ending.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  const watch = setInterval(() => {
    if (performance.now() - lastAnswer > silentMsMax) ending.reject(new Error(`nothing more came for ${Math.round(silentMsMax / 1000)} s`));
  }, 1000);
  try {
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({ autoCommit: false, partitionsConsumedConcurrently: 4, eachBatch: async ({ batch }) => await Promise.resolve(take(batch)) });
    await ending.promise;
  } catch (error) {
    signal.throwIfAborted();
    throw new OperatorError(`The topic ${topic} cannot be read from Kafka at ${env['KAFKA_BROKERS'] ?? '127.0.0.1:9092'}: ${(error as Error).message}.`);
  } finally {
    clearInterval(watch);
    signal.removeEventListener('abort', abort);
    ending.promise.catch(() => undefined);
    await consumer.disconnect().catch(() => undefined);
    await deleteGroup(env, groupId);
  }
}

/** Deletes a consumer group that no one is in. One that cannot be deleted has no offsets, and Kafka forgets it by itself. */
export async function deleteGroup(env: Readonly<Record<string, string>>, groupId: string): Promise<void> {
  const admin = kafkaOf(env).admin();
  try {
    await admin.connect();
    await admin.deleteGroups([groupId]);
  } catch {
    // Never joined, or Kafka is away.
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

function textsOf(headers: Batch['messages'][number]['headers']): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headers ?? {}).flatMap(([name, header]) => {
      const first = Array.isArray(header) ? header[0] : header;
      return first === undefined ? [] : [[name, first.toString()]];
    }),
  );
}
