import { eventIdWindow, timeOfEventId } from '@millrace/contracts';
import type { KafkaAccess } from '@millrace/kafka/access';
import type { OffsetRange } from '@millrace/lake';
import { withAdmin } from '../kafka/kafka-log.ts';

/**
 * Guesses the offsets of an event from the time in its id, by partition. The guess only saves reading the whole table. Undefined when the
 * id has no time or Kafka does not answer.
 */
export async function likelyOffsets(
  kafka: KafkaAccess,
  topic: string,
  eventId: string,
): Promise<ReadonlyMap<number, OffsetRange> | undefined> {
  const time = timeOfEventId(eventId);
  if (time === undefined) return undefined;
  try {
    return await withAdmin(kafka, async (admin) => {
      const [from, to] = [
        await admin.fetchTopicOffsetsByTimestamp(topic, time - eventIdWindow.beforeMs),
        await admin.fetchTopicOffsetsByTimestamp(topic, time + eventIdWindow.afterMs),
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
