import { Type } from 'typebox';
import type { Plain } from './plain.ts';
import type { Stream } from './streams/stream.ts';

/** A place in the topic of a stream. */
export interface EventPlaceInTopic {
  readonly partition: number;
  /** A 64-bit number as text. */
  readonly offset: string;
}

/** The path that follows an event. With the place, the service need not search the topic. */
export function followPathOf({ name }: Pick<Stream, 'name'>, eventId: string, place?: EventPlaceInTopic): string {
  const path = `/v1/${name}/${eventId}`;
  return place === undefined ? path : `${path}?partition=${place.partition}&offset=${place.offset}`;
}

/** The URI template (RFC 6570) of {@link followPathOf}. */
export function followTemplateOf({ name }: Pick<Stream, 'name'>): string {
  return `/v1/${name}/{eventId}{?partition,offset}`;
}

/**
 * Status of an event on its path to the table.
 *
 * - `on-disk`: only the outbox of this instance has it.
 * - `in-kafka`: the topic has it, and its row is not visible yet.
 * - `landed`: its row is in a file of the table, and the catalog does not name the day of the file yet.
 * - `queryable`: queries see its row.
 * - `duplicate`: the row comes from another record with the same event id.
 * - `rejected`: the sink refused the record; it is in a reject file.
 * - `lost`: the ledger records it, and its row or its record no longer exists.
 * - `unknown`: a part that would know did not answer.
 */
export const followStatuses = ['on-disk', 'in-kafka', 'landed', 'queryable', 'duplicate', 'rejected', 'lost', 'unknown'] as const;
/** Status of an event on its path to the table. */
export type FollowStatus = (typeof followStatuses)[number];

/** Steps of an event. {@link EventWay} lists the unknown ones. */
export const followSteps = ['disk', 'kafka', 'landed', 'queryable'] as const;
/** One of {@link followSteps}. */
export type FollowStep = (typeof followSteps)[number];

const at = (what: string) => Type.String({ description: `${what}, ISO 8601 in UTC` });
const partition = Type.Integer({ minimum: 0, description: 'Partition of the record' });
const offset = Type.String({ pattern: '^[0-9]+$', description: 'Offset of the record, a 64-bit number as text' });
const place = Type.Object({ partition, offset });

/** Schema of {@link EventWay}. */
export const eventWaySchema = Type.Object(
  {
    eventId: Type.String({ description: 'Identity of the event, a UUID in lower case' }),
    status: Type.Enum([...followStatuses], {
      description:
        '`on-disk`, `in-kafka`, `landed` and `queryable` follow each other. `duplicate`: the row comes from another record of the event. `rejected`: a reject file has the record. `lost`: the ledger records the event, and its row or record no longer exists. `unknown`: see `unknown`',
    }),
    accepted: Type.Optional(
      Type.Object(
        { at: at('Time in the event id (UUIDv7), otherwise the time of the record') },
        { description: 'The service accepted the event' },
      ),
    ),
    disk: Type.Optional(
      Type.Object(
        { waiting: Type.Literal(true, { description: 'The event is published when Kafka is back' }) },
        { description: 'The outbox of the instance that answers has the event' },
      ),
    ),
    kafka: Type.Optional(
      Type.Object(
        {
          topic: Type.String({ description: 'Topic of the event' }),
          partition,
          offset,
          at: Type.Optional(at('Time of the record')),
          confirmed: Type.Boolean({ description: '`false`: the place comes from the link or the receipt, and Kafka did not confirm it' }),
        },
        { description: 'Every in-sync replica of the topic has the event' },
      ),
    ),
    landed: Type.Optional(
      Type.Object(
        {
          batch: Type.String({ description: 'Identity of the batch in the ledger' }),
          from: Type.String({ pattern: '^[0-9]+$', description: 'First offset of the batch' }),
          to: Type.String({ pattern: '^[0-9]+$', description: 'Offset after the batch' }),
          file: Type.Optional(Type.String({ description: 'Key of the file with the row, or of the reject file' })),
          dt: Type.Optional(Type.String({ description: 'Day of the file, the value of the partition key' })),
          at: Type.Optional(at('Time at which the file became visible')),
        },
        { description: 'The ledger has the batch with the event, and its file is visible' },
      ),
    ),
    queryable: Type.Optional(
      Type.Object(
        {
          database: Type.String({ description: 'Database of the table' }),
          table: Type.String({ description: 'Table of the row' }),
          at: Type.Optional(at('Time from which on queries see the row')),
        },
        { description: 'The catalog names the day of the file' },
      ),
    ),
    row: Type.Optional(
      Type.Object({ partition, offset }, { description: 'The record that became the row of the event, if it is another record' }),
    ),
    duplicates: Type.Optional(
      Type.Array(place, { description: 'Other records with the same event id that the search met. The sink drops them' }),
    ),
    unknown: Type.Array(
      Type.Object({
        step: Type.Enum([...followSteps], { description: 'Step whose state is unknown' }),
        reason: Type.String({ description: 'The part that did not answer' }),
      }),
      { description: 'Parts that did not answer. Empty: the answer is complete' },
    ),
    links: Type.Object({ self: Type.String({ description: 'Path of this answer' }) }, { description: 'Paths of the event' }),
  },
  { title: 'EventWay', description: 'The path of an event from its acceptance to its row.' },
);

/** Answer of `GET /v1/<stream>/{eventId}`. */
export type EventWay = Plain<typeof eventWaySchema>;
