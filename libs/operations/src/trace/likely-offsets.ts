import type { KafkaAccess } from '@millrace/kafka/access';
import type { OffsetRange } from '@millrace/lake';
import { withAdmin } from '../kafka/kafka-log.ts';

/** Kafka probably took an event in this time around the creation of its id, in milliseconds: clocks differ, and clients retry. */
const beforeMs = 60_000;
const afterMs = 15 * 60_000;

/** Returns the creation time of an event id in milliseconds since the epoch. Only a UUID of version 7 has one; otherwise undefined. */
export function timeInId(eventId: string): number | undefined {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(eventId)
    ? Number.parseInt(eventId.slice(0, 8) + eventId.slice(9, 13), 16)
    : undefined;
}

/**
 * Guesses the offsets of an event from the time in its id, by partition. The guess only saves reading the whole table. Undefined when the
 * id has no time or Kafka does not answer.
 */
export async function likelyOffsets(
  kafka: KafkaAccess,
  topic: string,
  eventId: string,
): Promise<ReadonlyMap<number, OffsetRange> | undefined> {
  const time = timeInId(eventId);
  if (time === undefined) return undefined;
  try {
    return await withAdmin(kafka, async (admin) => {
      const [from, to] = [
        await admin.fetchTopicOffsetsByTimestamp(topic, time - beforeMs),
        await admin.fetchTopicOffsetsByTimestamp(topic, time + afterMs),
      ];
      const ends = new Map(to.map(({ partition, offset }) => [partition, Number(offset)]));
      return new Map(
        from.map(({ partition, offset }): [number, OffsetRange] => [
          partition,
          [Number(offset), ends.get(partition) ?? Number.MAX_SAFE_INTEGER],
        ]),
      );
    });
  } catch {
    return undefined;
  }
}
