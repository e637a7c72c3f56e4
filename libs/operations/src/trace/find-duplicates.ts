import { headerNames } from '@millrace/contracts';
import type { KafkaRecord } from '@millrace/kafka';
import { fromOfEntryKey, ledgerPrefix, readEntries, startAfterFor, type LaneId, type OffsetRange } from '@millrace/lake';
import { readTopic } from '../kafka/read-topic.ts';
import { textOf } from '../rejects/damaged-text.ts';
import type { Target } from '../target.ts';

/** Maximum number of entries that are searched for duplicates of a row: one page of LIST. */
const entriesMax = 1000;

/** Maximum number of dropped offsets that are read from the topic. */
const offsetsMax = 10_000;

/**
 * Finds the offsets of records that the sink dropped as duplicates of a row. The entries list the dropped offsets in the sink's window
 * behind the row. Only the topic still has their content.
 *
 * @throws OperationError `unavailable` when Kafka does not answer
 */
export async function findDuplicates(
  { lake: { store }, kafka, dedupOffsets }: Target,
  eventId: string,
  lane: LaneId,
  offset: number,
  signal: AbortSignal,
): Promise<number[]> {
  const end = offset + dedupOffsets;
  const page = await store.list(ledgerPrefix(lane), { signal, startAfter: startAfterFor(lane, end), limit: entriesMax });
  const froms = page.flatMap((key) => fromOfEntryKey(key) ?? []);
  const behind = froms.slice(0, froms.findIndex((from) => from <= offset) + 1 || froms.length).toReversed();
  const dropped: OffsetRange[] = [];
  let left = offsetsMax;
  for await (const entry of readEntries(store, lane, behind, { signal })) {
    for (const [from, to] of entry.dropped) {
      const range: OffsetRange = [Math.max(from, offset + 1), Math.min(to, end + 1, Math.max(from, offset + 1) + left)];
      if (range[1] <= range[0]) continue;
      dropped.push(range);
      left -= range[1] - range[0];
    }
    if (left === 0) break;
  }
  const offsets: number[] = [];
  await readTopic({
    kafka,
    topic: lane.topic,
    ranges: new Map([[lane.partition, dropped]]),
    signal,
    onRecord: ({ record }) => {
      if (carries(record, eventId)) offsets.push(record.offset);
    },
  });
  return offsets;
}

/** Tells whether a record's value or one of its CloudEvents ids names the event. The value may be UTF-16. */
export function carries({ value, headers }: Pick<KafkaRecord, 'value' | 'headers'>, eventId: string): boolean {
  return (
    headers.some((header) => header.name === headerNames.id && header.value?.toString('utf8').toLowerCase() === eventId) ||
    (value !== null && textOf(value).toLowerCase().includes(eventId))
  );
}
