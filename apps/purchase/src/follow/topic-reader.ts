import { headerNames, identityField, type Stream } from '@millrace/contracts';
import type { KafkaAccess } from '@millrace/kafka/access';
import { Consumer, type ClusterMetadata, type RecordsBatch } from '@platformatic/kafka';
import { abortable, giveUp } from '../publish/kafka-writer.ts';
import { platformaticAccess } from '../publish/platformatic-access.ts';
import type { LogRange, SearchRange } from './search-ranges.ts';

/** A record of an event in the topic. */
export interface EventRecord {
  readonly partition: number;
  readonly offset: number;
  /** Time of the record in milliseconds since the epoch. */
  readonly timestampMs: number;
  /** Time of the event in epoch seconds; undefined if the value has none. */
  readonly eventTime: number | undefined;
}

/** How to reach the topic, and the limits. */
export interface TopicReaderSettings {
  readonly access: KafkaAccess;
  readonly stream: Pick<Stream, 'topic' | 'timeField'>;
  /** Time to open a connection, in milliseconds. */
  readonly connectMsMax: number;
  /** Time until Kafka answers one request, in milliseconds. */
  readonly answerMsMax: number;
}

/** Bytes that one request fetches from a partition. A larger batch comes whole. */
const fetchBytes = 1024 * 1024;

/** Options of {@link TopicReader.search}. */
export interface SearchOptions {
  /** Maximum number of records that are read. */
  readonly recordsMax: number;
  /** Whether the time of the search is over. */
  readonly isOver: () => boolean;
}

/** Result of a search. */
export interface SearchResult {
  readonly found: readonly EventRecord[];
  /** Whether every range was read. The search ends early at its first find and at its limits. */
  readonly isComplete: boolean;
  readonly recordsRead: number;
}

/** Reads records of one topic without a consumer group. One reader serves one request. */
export class TopicReader {
  readonly #settings: TopicReaderSettings;
  readonly #signal: AbortSignal;
  readonly #client: Consumer;
  #metadata: ClusterMetadata | undefined;

  constructor(settings: TopicReaderSettings, signal: AbortSignal) {
    const { access, connectMsMax, answerMsMax } = settings;
    this.#settings = settings;
    this.#signal = signal;
    this.#client = new Consumer({
      ...platformaticAccess(access),
      clientId: 'millrace-purchase-follow',
      // It never joins a group; the client requires a name.
      groupId: 'millrace-purchase-follow',
      connectTimeout: connectMsMax,
      requestTimeout: answerMsMax,
      retries: 0,
      autocreateTopics: false,
    });
  }

  /** The offsets that each partition holds. */
  async logRanges(): Promise<readonly LogRange[]> {
    const [lows, highs] = [await this.#offsetsAt(-2n), await this.#offsetsAt(-1n)];
    return [...highs].map(([partition, high]) => ({ partition, low: Number(lows.get(partition) ?? 0n), high: Number(high) }));
  }

  /** The first offset of each partition that is not older than a time, in milliseconds since the epoch. None: every record is older. */
  async offsetsFrom(timeMs: number): Promise<ReadonlyMap<number, number>> {
    const offsets = await this.#offsetsAt(BigInt(timeMs));
    return new Map([...offsets].flatMap(([partition, offset]) => (offset < 0n ? [] : [[partition, Number(offset)] as const])));
  }

  /** The record at an offset, if it carries the event. */
  async recordAt(partition: number, offset: number, eventId: string): Promise<EventRecord | undefined> {
    const { records } = await this.#fetch(partition, offset, offset + 1, eventId);
    return records.find((record) => record.offset === offset);
  }

  /**
   * Searches ranges for records that carry an event. The ranges come one after the other; each ends the search if it holds the event.
   *
   * @param ranges by their order of probability
   */
  async search(eventId: string, ranges: readonly (readonly SearchRange[])[], { recordsMax, isOver }: SearchOptions): Promise<SearchResult> {
    let recordsRead = 0;
    for (const stage of ranges) {
      const found: EventRecord[] = [];
      let open = stage.filter(({ from, to }) => to > from);
      while (open.length > 0 && found.length === 0) {
        const rest: SearchRange[] = [];
        for (const { partition, from, to } of open) {
          if (recordsRead >= recordsMax || isOver()) return { found, isComplete: false, recordsRead };
          const { records, next } = await this.#fetch(partition, from, to, eventId);
          found.push(...records);
          recordsRead += next - from;
          if (next < to) rest.push({ partition, from: next, to });
        }
        open = rest;
      }
      if (found.length > 0) return { found, isComplete: true, recordsRead };
    }
    return { found: [], isComplete: true, recordsRead };
  }

  close(): void {
    giveUp(this.#client);
  }

  async #offsetsAt(timestamp: bigint): Promise<Map<number, bigint>> {
    const { name } = this.#settings.stream.topic;
    const answer = await abortable(this.#client.listOffsetsWithTimestamps({ topics: [name], timestamp }), this.#signal);
    return new Map([...(answer.get(name) ?? [])].map(([partition, { offset }]) => [partition, offset]));
  }

  /** Reads one answer of the broker. `next` is the offset after it. */
  async #fetch(partition: number, from: number, to: number, eventId: string): Promise<{ records: EventRecord[]; next: number }> {
    const { name } = this.#settings.stream.topic;
    this.#metadata ??= await abortable(this.#client.metadata({ topics: [name] }), this.#signal);
    const topic = this.#metadata.topics.get(name)!;
    const answer = await abortable(
      this.#client.fetch({
        node: topic.partitions[partition]!.leader,
        minBytes: 1,
        maxBytes: fetchBytes,
        maxWaitTime: 100,
        topics: [
          {
            topicId: topic.id,
            partitions: [
              { partition, fetchOffset: BigInt(from), currentLeaderEpoch: -1, lastFetchedEpoch: -1, partitionMaxBytes: fetchBytes },
            ],
          },
        ],
      }),
      this.#signal,
    );
    const records: EventRecord[] = [];
    let next = from;
    for (const batch of answer.responses[0]?.partitions[0]?.records ?? []) {
      const { firstOffset, lastOffsetDelta } = batch;
      for (const record of batch.records) {
        const offset = Number(firstOffset) + record.offsetDelta;
        if (offset < from || offset >= to || !carries(record, eventId)) continue;
        records.push({ partition, offset, timestampMs: timestampOf(batch, record), eventTime: this.#eventTimeOf(record.value) });
      }
      next = Math.max(next, Number(firstOffset) + lastOffsetDelta + 1);
    }
    // Offsets without a record: markers of transactions at the end of the log.
    return { records, next: next === from ? to : Math.min(next, to) };
  }

  #eventTimeOf(value: Buffer | null): number | undefined {
    try {
      const time = (JSON.parse(value?.toString() ?? '') as Record<string, unknown>)[this.#settings.stream.timeField];
      return typeof time === 'number' ? time : undefined;
    } catch {
      return undefined;
    }
  }
}

/** Bit of the attributes of a batch whose records have the time of the broker: `message.timestamp.type=LogAppendTime`. */
const appendTimeFlag = 0x08;

/** The time of a record. A batch with the time of the broker has one for all its records. */
function timestampOf(
  { attributes, firstTimestamp, maxTimestamp }: Pick<RecordsBatch, 'attributes' | 'firstTimestamp' | 'maxTimestamp'>,
  { timestampDelta }: { readonly timestampDelta: bigint },
): number {
  return Number((attributes & appendTimeFlag) === 0 ? firstTimestamp + timestampDelta : maxTimestamp);
}

interface RawRecord {
  readonly value: Buffer | null;
  readonly headers: readonly (readonly [Buffer | null, Buffer | null])[];
}

/** Whether a record is of the event: by its CloudEvents id, or else by its value. A producer may write the id in upper case. */
function carries({ value, headers }: RawRecord, eventId: string): boolean {
  const id = headers.find(([name]) => name?.toString() === headerNames.id)?.[1];
  if (id?.toString().toLowerCase() === eventId) return true;
  if (value === null || !value.toString('latin1').toLowerCase().includes(eventId)) return false;
  try {
    const own = (JSON.parse(value.toString()) as Record<string, unknown>)[identityField];
    return typeof own === 'string' && own.toLowerCase() === eventId;
  } catch {
    return false;
  }
}
