import { headerNames } from '@millrace/contracts';
import type { KafkaRecord } from '@millrace/kafka';
import { fromOfEntryKey, ledgerPrefix, readEntries, startAfterFor, type LaneId, type OffsetRange } from '@millrace/lake';
import { dedupOffsetsOf } from './dedup-offsets.ts';
import type { Lake } from './open-lake.ts';
import { readTopic } from './read-topic.ts';
import { textOf } from './rejects/damaged-text.ts';

/** Most entries behind a row that are looked through for dropped duplicates: what one LIST tells. */
const entriesMax = 1000;

/** Most dropped offsets that are read back from the topic. */
const offsetsMax = 10_000;

/**
 * Finds the offsets of records that were dropped as duplicates of a row: the entries say which offsets were dropped, within the sink's
 * window behind the row (`SINK_DEDUP_OFFSETS`), and only the topic still says what they carried.
 *
 * @throws OperatorError when Kafka does not answer
 */
export async function findDuplicates({ store }: Lake, env: Readonly<Record<string, string>>, eventId: string, lane: LaneId, offset: number, signal: AbortSignal): Promise<number[]> {
  const end = offset + dedupOffsetsOf(env);
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
    env,
    topic: lane.topic,
    ranges: new Map([[lane.partition, dropped]]),
    signal,
    onRecord: ({ record }) => {
      if (carries(record, eventId)) offsets.push(record.offset);
    },
  });
  return offsets;
}

/** Whether a record's value or one of its CloudEvents ids names the event. The value may be UTF-16. */
export function carries({ value, headers }: Pick<KafkaRecord, 'value' | 'headers'>, eventId: string): boolean {
  return headers.some((header) => header.name === headerNames.id && header.value?.toString('utf8').toLowerCase() === eventId) || (value !== null && textOf(value).toLowerCase().includes(eventId));
}
