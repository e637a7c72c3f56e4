import { randomUUID } from 'node:crypto';
import type { Batch, Kafka } from 'kafkajs';
import { answerOf } from './kafkajs/kafka-client.ts';
import { readAnswer, type UndecodableBatch } from './read-answer.ts';
import type { KafkaRecord } from './record-batch/record.ts';

/** Offsets [from, to). */
export type OffsetRange = readonly [from: number, to: number];

/** A record and its partition. */
export interface TopicRecord {
  readonly partition: number;
  readonly record: KafkaRecord;
}

/** Offsets of a partition that could not be read. */
export interface UnreadRange {
  readonly partition: number;
  readonly from: number;
  readonly to: number;
  /** A sentence without its end: "a batch cannot be decoded: …", "a transaction is still open". */
  readonly why: string;
}

/** Options of {@link readTopic}. */
export interface ReadTopicOptions {
  /** Made by `kafkaClient`. */
  readonly kafka: Pick<Kafka, 'consumer' | 'admin'>;
  readonly topic: string;
  /** Ascending, disjoint ranges of offsets by partition. */
  readonly ranges: ReadonlyMap<number, readonly OffsetRange[]>;
  /** Begins the name of the consumer group. */
  readonly groupPrefix: string;
  readonly signal?: AbortSignal;
  /** Called for each record in the ranges, ascending within a partition. */
  readonly onRecord: (record: TopicRecord) => void;
  /** Called with the number of records read so far. */
  readonly onProgress?: (read: number) => void;
  /** Called for offsets that cannot be read; reading continues after them. Default: reading fails. */
  readonly onUnread?: (range: UnreadRange) => void;
  /** Called for a batch that cannot be decoded. Default: {@link ReadTopicOptions.onUnread}. */
  readonly onUndecodable?: (partition: number, batch: UndecodableBatch) => void;
  /** Longest time without an answer, in milliseconds. Default 30,000. */
  readonly silentMsMax?: number;
}

/**
 * Reads ranges of a topic as a read-committed consumer, each record once. Joins a new consumer group, commits nothing, and deletes the
 * group at the end.
 *
 * @throws the signal's reason once it aborts, and otherwise what Kafka or the connection failed with
 */
export async function readTopic(options: ReadTopicOptions): Promise<void> {
  const { kafka, topic, signal, silentMsMax = 30_000 } = options;
  const ranges = new WantedRanges(options);
  if (ranges.done) return;
  signal?.throwIfAborted();
  const groupId = `${options.groupPrefix}-${randomUUID()}`;
  const consumer = kafka.consumer({
    groupId,
    maxWaitTimeInMs: 250,
    maxBytesPerPartition: 4 * 1024 * 1024,
    allowAutoTopicCreation: false,
    // A coordinator that is still loading after a start of Kafka answers late.
    retry: { initialRetryTime: 200, maxRetryTime: 2000, retries: 10, restartOnFailure: async () => await Promise.resolve(false) },
  });
  const ending = Promise.withResolvers<undefined>();
  let lastAnswer = performance.now();
  // kafkajs fetches as soon as the listeners of the event have returned.
  const place = (partition: number): void => {
    const next = ranges.next(partition);
    if (next === undefined) consumer.pause([{ topic, partitions: [partition] }]);
    else consumer.seek({ topic, partition, offset: String(next) });
  };
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    for (const partition of payload.memberAssignment[topic] ?? []) place(partition);
  });
  consumer.on(consumer.events.CRASH, ({ payload }) => ending.reject(payload.error));
  const abort = (): void => ending.reject(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  const watch = setInterval(() => {
    if (performance.now() - lastAnswer > silentMsMax) ending.reject(new Error(`nothing more came for ${Math.round(silentMsMax / 1000)} s`));
  }, 1000);
  const take = (batch: Batch): void => {
    lastAnswer = performance.now();
    try {
      const passed = ranges.take(batch);
      if (ranges.done) ending.resolve(undefined);
      if (ranges.next(batch.partition) !== passed) place(batch.partition);
    } catch (error) {
      ending.reject(error);
    }
  };
  try {
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: 4,
      eachBatch: async (payload) => {
        await Promise.resolve();
        take(payload.batch);
        const next = ranges.next(payload.batch.partition);
        if (next !== undefined) payload.resolveOffset(String(next - 1));
      },
    });
    await ending.promise;
  } finally {
    clearInterval(watch);
    signal?.removeEventListener('abort', abort);
    ending.promise.catch(() => undefined);
    await consumer.disconnect().catch(() => undefined);
    await deleteGroup(kafka, groupId);
  }
}

/** Deletes a consumer group without members. A group that cannot be deleted has no offsets, and Kafka forgets it by itself. */
export async function deleteGroup(kafka: Pick<Kafka, 'admin'>, groupId: string): Promise<void> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    await admin.deleteGroups([groupId]);
  } catch {
    // It was never joined, or Kafka is down.
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

/** The ranges that remain to be read. */
class WantedRanges {
  readonly #options: ReadTopicOptions;
  readonly #left: Map<number, OffsetRange[]>;
  #read = 0;

  constructor(options: ReadTopicOptions) {
    this.#options = options;
    this.#left = new Map(
      [...options.ranges].map(([partition, wanted]): [number, OffsetRange[]] => [partition, wanted.filter(([from, to]) => to > from)]),
    );
  }

  get done(): boolean {
    return [...this.#left.values()].every((wanted) => wanted.length === 0);
  }

  /** The offset to read next; undefined if nothing remains. */
  next(partition: number): number | undefined {
    return this.#left.get(partition)?.[0]?.[0];
  }

  /** Takes an answer, and returns the offset after the range that it has processed. */
  take(batch: Batch): number {
    const { partition } = batch;
    const { fetchedOffset, answer } = answerOf(batch);
    let passed = fetchedOffset;
    if (this.next(partition) === undefined || fetchedOffset > this.next(partition)!) return passed;
    for (const { records, next, undecodable } of readAnswer(answer, fetchedOffset)) {
      for (const record of records) this.#offer(partition, record);
      passed = next;
      this.#pass(partition, passed);
      if (undecodable !== undefined) this.#skip(partition, undecodable);
    }
    this.#options.onProgress?.(this.#read);
    const wanted = this.next(partition);
    // Records of an open transaction may never come.
    if (wanted !== undefined && wanted >= answer.lastStableOffset) this.#giveUp(partition, answer.highWatermark);
    return passed;
  }

  #offer(partition: number, record: KafkaRecord): void {
    this.#pass(partition, record.offset);
    const range = this.#left.get(partition)?.[0];
    if (range === undefined || record.offset < range[0]) return;
    this.#read += 1;
    this.#options.onRecord({ partition, record });
    this.#pass(partition, record.offset + 1);
  }

  #pass(partition: number, offset: number): void {
    const wanted = this.#left.get(partition);
    if (wanted === undefined) return;
    while (wanted[0] !== undefined && wanted[0][1] <= offset) wanted.shift();
    if (wanted[0] !== undefined && wanted[0][0] < offset) wanted[0] = [offset, wanted[0][1]];
  }

  #skip(partition: number, batch: UndecodableBatch): void {
    const next = this.next(partition);
    const { onUndecodable, onUnread } = this.#options;
    if (next === undefined || (batch.to !== undefined && next >= batch.to)) return;
    const end = this.#left.get(partition)?.at(-1)?.[1] ?? batch.from;
    const to = batch.to ?? end;
    if (next >= to || batch.from >= end) return;
    const why = `a batch cannot be decoded: ${batch.reason}`;
    if (onUndecodable !== undefined) onUndecodable(partition, batch);
    else if (onUnread !== undefined) onUnread({ partition, from: batch.from, to, why });
    else throw new Error(`offset ${batch.from} of partition ${partition} cannot be read: ${why}`);
    this.#pass(partition, to);
  }

  #giveUp(partition: number, highWatermark: number): void {
    const wanted = this.#left.get(partition)!;
    const [from, to] = [wanted[0]![0], Math.min(wanted.at(-1)![1], highWatermark)];
    if (from >= to) return;
    const why = 'a transaction is still open';
    if (this.#options.onUnread === undefined) throw new Error(`offset ${from} of partition ${partition} cannot be read: ${why}`);
    this.#options.onUnread({ partition, from, to, why });
    wanted.length = 0;
  }
}
