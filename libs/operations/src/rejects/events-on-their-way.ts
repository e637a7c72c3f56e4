import { validatorFor, withoutBom } from '@millrace/contracts';
import type { OffsetRange } from '@millrace/lake';
import { OperationError } from '../errors.ts';
import { logRanges, withAdmin } from '../kafka/kafka-log.ts';
import { readTopic } from '../kafka/read-topic.ts';
import type { Duck } from '../lake/duck.ts';
import { findRows } from '../lake/find-rows.ts';
import { landedEnds } from '../lake/landed-ends.ts';
import { grouped } from '../numbers.ts';
import type { RedriveTarget } from '../target.ts';

/** Maximum number of events that have not landed and are read. */
const eventsMax = 2_000_000;

/** An event that need not be produced again. */
export interface EventOnItsWay {
  /** `landed`: a row of the table. `waiting`: valid and in the topic, so that it becomes a row. */
  readonly kind: 'landed' | 'waiting';
  readonly what: string;
}

/**
 * Finds the events that are rows, or become rows when the sink reads them.
 *
 * @throws OperationError `unavailable` when Kafka does not answer; `conflict` when more than 2,000,000 events wait to land
 */
export async function eventsOnTheirWay(
  { lake, kafka }: RedriveTarget,
  duck: Duck,
  eventIds: readonly string[],
  signal: AbortSignal,
  note: (text: string) => void,
): Promise<ReadonlyMap<string, EventOnItsWay>> {
  const topic = lake.stream.topic.name;
  const there = new Map<string, EventOnItsWay>();
  // Read the ends before the table: an event that lands in between is then found in the table or in the topic.
  const ends = await landedEnds(lake, signal);
  for (let start = 0; start < eventIds.length; start += 500) {
    for (const { eventId, lane, offset } of await findRows(lake, duck, eventIds.slice(start, start + 500), { signal, note })) {
      there.set(eventId, { kind: 'landed', what: `it is a row already, of partition ${lane.partition}, offset ${offset}` });
    }
  }
  const ranges = new Map<number, readonly OffsetRange[]>();
  let waiting = 0;
  for (const { partition, low, high } of await withAdmin(kafka, async (admin) => await logRanges(admin, topic))) {
    const from = Math.max(low, ends.get(partition)?.landed ?? 0);
    ranges.set(partition, [[from, high]]);
    waiting += Math.max(0, high - from);
  }
  if (waiting > eventsMax)
    throw new OperationError(
      'conflict',
      `${grouped(waiting)} events wait to land. Let the sink catch up first: among them may be those of this file.`,
    );
  const wanted = new Set(eventIds);
  const validator = validatorFor(lake.stream.eventSchema);
  await readTopic({
    kafka,
    topic,
    ranges,
    signal,
    onRecord: ({ partition, record: { offset, value } }) => {
      const eventId = validIdIn(value, validator);
      if (eventId !== undefined && wanted.has(eventId) && !there.has(eventId))
        there.set(eventId, { kind: 'waiting', what: `it waits to land, in partition ${partition}, offset ${offset}` });
    },
    onProgress: (passed) => note(`${grouped(passed)} of ${grouped(waiting)} waiting events read`),
  });
  return there;
}

// An event that still breaks the contract does not become a row.
function validIdIn(value: Buffer | null, validator: ReturnType<typeof validatorFor>): string | undefined {
  if (value === null) return undefined;
  try {
    const event: unknown = JSON.parse(withoutBom(value).toString('utf8'));
    return validator.check(event) ? String((event as { eventId?: unknown }).eventId).toLowerCase() : undefined;
  } catch {
    return undefined;
  }
}
