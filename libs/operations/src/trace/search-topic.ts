import type { OffsetRange } from '@millrace/lake';
import { logRanges, withAdmin } from '../kafka/kafka-log.ts';
import { readTopic } from '../kafka/read-topic.ts';
import type { LandedEnd } from '../lake/landed-ends.ts';
import { grouped } from '../numbers.ts';
import type { Target } from '../target.ts';
import { carries } from './find-duplicates.ts';

/** Limits of a search. */
export interface SearchOptions {
  /** Reads the whole topic instead of its end. */
  readonly deep: boolean;
  /** Maximum number of events that are read from the end of the topic, the newest first. */
  readonly eventsMax: number;
  readonly signal: AbortSignal;
  /** Receives the progress. */
  readonly note: (text: string) => void;
}

/** Result of a search of the topic. */
export interface TopicSearch {
  readonly places: readonly { readonly partition: number; readonly offset: number }[];
  /** The parts that were not searched, one sentence each. */
  readonly left: readonly string[];
}

/**
 * Searches the topic for records that carry an event id: the part that has not landed, or all of it.
 *
 * @throws OperationError `unavailable` when Kafka does not answer
 */
export async function searchTopic(
  { lake, kafka }: Target,
  eventId: string,
  ends: ReadonlyMap<number, LandedEnd>,
  { deep, eventsMax, signal, note }: SearchOptions,
): Promise<TopicSearch> {
  const topic = lake.stream.topic.name;
  const log = await withAdmin(kafka, async (admin) => await logRanges(admin, topic));
  const ranges = new Map<number, readonly OffsetRange[]>();
  const left: string[] = [];
  for (const { partition, low, high } of log) {
    const landed = Math.max(low, ends.get(partition)?.landed ?? 0);
    // Users mostly ask for new events, so the end of the topic comes first.
    const from = deep ? low : Math.max(landed, high - Math.ceil(eventsMax / log.length));
    if (!deep && from > landed)
      left.push(
        `${grouped(from - landed)} events that wait to land in partition ${partition}, from offset ${grouped(landed)} on; --events-max raises the limit`,
      );
    ranges.set(partition, [[from, high]]);
  }
  const places: { partition: number; offset: number }[] = [];
  await readTopic({
    kafka,
    topic,
    ranges,
    signal,
    onRecord: ({ partition, record }) => {
      if (carries(record, eventId)) places.push({ partition, offset: record.offset });
    },
    onUnread: ({ partition, from: first, to, why }) =>
      left.push(`offsets ${grouped(first)} to ${grouped(to - 1)} of partition ${partition}: ${why}`),
    onProgress: (passed) => note(`${grouped(passed)} events of the topic read`),
  });
  return { places, left };
}
