import type { OffsetRange } from '@millrace/lake';
import { carries } from './find-duplicates.ts';
import { logRanges, withAdmin } from './kafka-log.ts';
import type { LandedEnd } from './landed-ends.ts';
import { grouped } from './numbers.ts';
import { readTopic } from './read-topic.ts';
import type { TraceOptions, TraceParts } from './trace-event.ts';

/** What a search of the topic found. */
export interface TopicSearch {
  readonly places: readonly { readonly partition: number; readonly offset: number }[];
  /** What the limit left out, a sentence each. */
  readonly left: readonly string[];
}

/**
 * Reads the topic behind what has landed, or all of it, for records that carry an event id.
 *
 * @throws OperatorError when Kafka does not answer
 */
export async function searchTopic({ lake, env, signal, note }: TraceParts, eventId: string, ends: ReadonlyMap<number, LandedEnd>, { deep, eventsMax }: TraceOptions): Promise<TopicSearch> {
  const topic = lake.stream.topic.name;
  const log = await withAdmin(env, async (admin) => await logRanges(admin, topic));
  const ranges = new Map<number, readonly OffsetRange[]>();
  const left: string[] = [];
  for (const { partition, low, high } of log) {
    const landed = Math.max(low, ends.get(partition)?.landed ?? 0);
    // An event that is asked for so soon is most often new.
    const from = deep ? low : Math.max(landed, high - Math.ceil(eventsMax / log.length));
    if (!deep && from > landed) left.push(`${grouped(from - landed)} events that wait to land in partition ${partition}, from offset ${grouped(landed)} on; --events-max raises the limit`);
    ranges.set(partition, [[from, high]]);
  }
  const places: { partition: number; offset: number }[] = [];
  await readTopic({
    env,
    topic,
    ranges,
    signal,
    onRecord: ({ partition, record }) => {
      if (carries(record, eventId)) places.push({ partition, offset: record.offset });
    },
    onUnread: ({ partition, from: first, to, why }) => left.push(`offsets ${grouped(first)} to ${grouped(to - 1)} of partition ${partition}: ${why}`),
    onProgress: (passed) => note(`${grouped(passed)} events of the topic read`),
  });
  return { places, left };
}
