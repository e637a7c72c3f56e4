import type { OffsetRange } from '@millrace/lake';
import { withAdmin } from './kafka-log.ts';

/** How long before and after an id was made its event is likely to have been taken by Kafka, in milliseconds: clocks differ, and clients try again. */
const beforeMs = 60_000;
const afterMs = 15 * 60_000;

/** When an event id was made, in milliseconds since the epoch; undefined unless it is a UUID of version 7, as the purchase API makes them. */
export function timeInId(eventId: string): number | undefined {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(eventId) ? Number.parseInt(eventId.slice(0, 8) + eventId.slice(9, 13), 16) : undefined;
}

/**
 * The offsets among which an event is likely to stand, by partition, from the time in its id; undefined where the id tells none, or
 * Kafka does not answer. A guess that saves reading the whole table, and no more.
 */
export async function likelyOffsets(env: Readonly<Record<string, string>>, topic: string, eventId: string): Promise<ReadonlyMap<number, OffsetRange> | undefined> {
  const time = timeInId(eventId);
  if (time === undefined) return undefined;
  try {
    return await withAdmin(env, async (admin) => {
      const [from, to] = [await admin.fetchTopicOffsetsByTimestamp(topic, time - beforeMs), await admin.fetchTopicOffsetsByTimestamp(topic, time + afterMs)];
      const ends = new Map(to.map(({ partition, offset }) => [partition, Number(offset)]));
      return new Map(from.map(({ partition, offset }): [number, OffsetRange] => [partition, [Number(offset), ends.get(partition) ?? Number.MAX_SAFE_INTEGER]]));
    });
  } catch {
    return undefined;
  }
}
