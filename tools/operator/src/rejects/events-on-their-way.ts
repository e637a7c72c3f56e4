import { validatorFor, withoutBom } from '@millrace/contracts';
import type { OffsetRange } from '@millrace/lake';
import type { Duck } from '../duck.ts';
import { OperatorError } from '../errors.ts';
import { findRows } from '../find-rows.ts';
import { logRanges, withAdmin } from '../kafka-log.ts';
import { landedEnds } from '../landed-ends.ts';
import { grouped } from '../numbers.ts';
import type { Lake } from '../open-lake.ts';
import type { OperatorContext } from '../operator-context.ts';
import { readTopic } from '../read-topic.ts';

/** Most events behind what has landed that are read. */
const eventsMax = 2_000_000;

/** An event that needs no further putting through. */
export interface EventOnItsWay {
  /** A row of the table, or in the topic and valid, so that it will be one. */
  readonly kind: 'landed' | 'waiting';
  readonly what: string;
}

/**
 * Which of these events are rows already, or will be when the sink comes to them.
 *
 * @throws OperatorError when Kafka does not answer, or so many events wait to land that looking through them is no use
 */
export async function eventsOnTheirWay(lake: Lake, duck: Duck, eventIds: readonly string[], { env, signal }: Pick<OperatorContext, 'env' | 'signal'>, note: (text: string) => void): Promise<ReadonlyMap<string, EventOnItsWay>> {
  const topic = lake.stream.topic.name;
  const there = new Map<string, EventOnItsWay>();
  // Before the table is looked through: what lands in between is then found in one of both.
  const ends = await landedEnds(lake, signal);
  for (let start = 0; start < eventIds.length; start += 500) {
    for (const { eventId, lane, offset } of await findRows(lake, duck, eventIds.slice(start, start + 500), { signal, note })) {
      there.set(eventId, { kind: 'landed', what: `it is a row already, of partition ${lane.partition}, offset ${offset}` });
    }
  }
  const ranges = new Map<number, readonly OffsetRange[]>();
  let waiting = 0;
  for (const { partition, low, high } of await withAdmin(env, async (admin) => await logRanges(admin, topic))) {
    const from = Math.max(low, ends.get(partition)?.landed ?? 0);
    ranges.set(partition, [[from, high]]);
    waiting += Math.max(0, high - from);
  }
  if (waiting > eventsMax) throw new OperatorError(`${grouped(waiting)} events wait to land. Let the sink catch up first: among them may be those of this file.`);
  const wanted = new Set(eventIds);
  const validator = validatorFor(lake.stream.eventSchema);
  await readTopic({
    env,
    topic,
    ranges,
    signal,
    onRecord: ({ partition, record: { offset, value } }) => {
      const eventId = validIdIn(value, validator);
      if (eventId !== undefined && wanted.has(eventId) && !there.has(eventId)) there.set(eventId, { kind: 'waiting', what: `it waits to land, in partition ${partition}, offset ${offset}` });
    },
    onProgress: (passed) => note(`${grouped(passed)} of ${grouped(waiting)} waiting events read`),
  });
  return there;
}

// The same event sent again as wrong as before will be no row.
function validIdIn(value: Buffer | null, validator: ReturnType<typeof validatorFor>): string | undefined {
  if (value === null) return undefined;
  try {
    const event: unknown = JSON.parse(withoutBom(value).toString('utf8'));
    return validator.check(event) ? String((event as { eventId?: unknown }).eventId).toLowerCase() : undefined;
  } catch {
    return undefined;
  }
}
