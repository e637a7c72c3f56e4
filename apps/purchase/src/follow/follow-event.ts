import { followPathOf, timeOfEventId, type EventReceipt, type EventWay, type FollowStep, type Stream } from '@millrace/contracts';
import type { LakePlace } from './lake-reader.ts';
import type { EventRecord } from './topic-reader.ts';

/** A place in the topic that a link or a receipt names. */
export interface NamedPlace {
  readonly partition: number;
  readonly offset: number;
}

/** Records of an event in the topic. */
export interface TopicFinds {
  /** The record at the named place, if it carries the event. */
  readonly named?: EventRecord | undefined;
  /** Records that a search found, by partition and offset. */
  readonly found: readonly EventRecord[];
  /** The part of the topic that was searched, as the end of a sentence. */
  readonly searched: string;
}

/** The parts that know something about an event. Each throws when it does not answer; an absent one is switched off. */
export interface FollowSources {
  readonly stream: Stream;
  /** The receipt that Redis keeps for a request with an Idempotency-Key. */
  readonly receiptOf?: (eventId: string) => Promise<EventReceipt | undefined>;
  /** Whether the outbox of this instance has the event. */
  readonly isInOutbox?: (eventId: string, signal: AbortSignal) => Promise<boolean>;
  readonly topic: {
    /** Reads the named place, and searches if it does not carry the event. */
    find(eventId: string, named: NamedPlace | undefined, signal: AbortSignal): Promise<TopicFinds>;
    /** Searches the records before a place that the sink dropped. */
    findBefore(eventId: string, place: NamedPlace, signal: AbortSignal): Promise<readonly EventRecord[]>;
  };
  readonly lake?: {
    placeOf(partition: number, offset: number, eventTime: number | undefined, signal: AbortSignal): Promise<LakePlace>;
    registeredAt(dt: string, signal: AbortSignal): Promise<Date | undefined>;
  };
}

/** Result of {@link followEvent}. */
export type FollowResult =
  | { readonly kind: 'way'; readonly way: EventWay }
  /** No part knows the event. */
  | { readonly kind: 'not-found'; readonly searched: string }
  /** No part that answered knows the event, and these did not answer. */
  | { readonly kind: 'unanswered'; readonly cause: unknown };

type Unknown = EventWay['unknown'][number];

/** Maximum number of records of one event whose batches are looked up. */
const recordsMax = 10;

/**
 * Follows an event from its acceptance to its row. A part that does not answer leaves its steps unknown; the others still answer.
 *
 * @param eventId in lower case
 * @param named the place in the link; it is checked against the topic
 */
export async function followEvent(
  eventId: string,
  named: NamedPlace | undefined,
  sources: FollowSources,
  signal: AbortSignal,
): Promise<FollowResult> {
  const unknown: Unknown[] = [];
  const ask = async <T>(steps: readonly FollowStep[], part: string, question: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await question();
    } catch (error) {
      // The caller disconnected, or the request timed out.
      signal.throwIfAborted();
      const reason = `${part} does not answer: ${error instanceof Error ? error.name : 'error'}.`;
      unknown.push(...steps.map((step) => ({ step, reason })));
      failures.push(error);
      return undefined;
    }
  };
  const failures: unknown[] = [];
  const { stream, topic } = sources;

  const isOnDisk = await ask(['disk'], 'The outbox', async () => (await sources.isInOutbox?.(eventId, signal)) ?? false);
  const place = named ?? placeOf(await sources.receiptOf?.(eventId).catch(() => undefined));
  const finds = await ask(['kafka'], 'Kafka', async () => await topic.find(eventId, place, signal));
  const records = finds === undefined ? [] : finds.named === undefined ? finds.found : [finds.named];
  const candidates: readonly Candidate[] =
    finds === undefined && place !== undefined ? [{ ...place, isConfirmed: false }] : records.slice(0, recordsMax).map(confirmed);
  if (candidates.length === 0) {
    if (isOnDisk === true)
      return { kind: 'way', way: wayOf({ stream, eventId, status: 'on-disk', unknown: unknownWithout(unknown, 'kafka') }) };
    if (failures.length > 0) return { kind: 'unanswered', cause: failures[0] };
    return { kind: 'not-found', searched: finds!.searched };
  }

  const lake = sources.lake;
  if (lake === undefined)
    unknown.push(
      ...(['landed', 'queryable'] as const).map((step) => ({
        step,
        reason: 'This service has no access to the lake: LAKE_BUCKET is not set.',
      })),
    );
  const lakePlaceOf = async ({ partition, offset, eventTime }: Candidate): Promise<LakePlace | undefined> =>
    lake === undefined
      ? undefined
      : await ask(['landed', 'queryable'], 'S3', async () => await lake.placeOf(partition, offset, eventTime, signal));

  let looked: Looked[] = [];
  for (const candidate of candidates) looked.push({ candidate, lakePlace: await lakePlaceOf(candidate) });
  let shown = looked.find(({ lakePlace }) => lakePlace?.verdict === 'row') ?? looked.find(isNotDropped) ?? looked[0]!;
  if (shown.lakePlace?.verdict === 'dropped') {
    const earlier = await ask(['kafka'], 'Kafka', async () => await topic.findBefore(eventId, shown.candidate, signal));
    looked = [
      ...(await Promise.all(
        (earlier ?? [])
          .slice(0, recordsMax)
          .map(async (record) => ({ candidate: confirmed(record), lakePlace: await lakePlaceOf(confirmed(record)) })),
      )),
      ...looked,
    ];
    shown = { ...shown, row: looked.find(({ lakePlace }) => lakePlace?.verdict === 'row') };
  }
  const source = shown.row ?? shown;
  const registered = await registeredOf(source.lakePlace, lake, ask, signal);
  const others = looked.filter((one) => one.candidate !== shown.candidate && one.candidate !== shown.row?.candidate);
  return {
    kind: 'way',
    way: wayOf({
      stream,
      eventId,
      status: statusOf(shown, registered, unknown),
      kafka: shown.candidate,
      isOnDisk: false,
      lakePlace: source.lakePlace,
      registered,
      row: shown.row?.candidate,
      duplicates: others.map(({ candidate }) => candidate),
      unknown: distinct(unknown),
    }),
  };
}

interface Candidate extends NamedPlace {
  readonly timestampMs?: number;
  readonly eventTime?: number | undefined;
  readonly isConfirmed: boolean;
}

interface Looked {
  readonly candidate: Candidate;
  readonly lakePlace: LakePlace | undefined;
  /** The record whose row the event has, where it is another one. */
  readonly row?: Looked | undefined;
}

const confirmed = (record: EventRecord): Candidate => ({ ...record, isConfirmed: true });
const isNotDropped = ({ lakePlace }: Looked): boolean => lakePlace?.verdict !== 'dropped';

function placeOf(receipt: EventReceipt | undefined): NamedPlace | undefined {
  return receipt?.durability === 'kafka' ? { partition: receipt.partition, offset: Number(receipt.offset) } : undefined;
}

type Ask = <T>(steps: readonly FollowStep[], part: string, question: () => Promise<T>) => Promise<T | undefined>;

async function registeredOf(
  lakePlace: LakePlace | undefined,
  lake: FollowSources['lake'],
  ask: Ask,
  signal: AbortSignal,
): Promise<Date | undefined> {
  if (lake === undefined || lakePlace?.verdict !== 'row' || lakePlace.landedAt === undefined || lakePlace.dt === undefined)
    return undefined;
  const { dt } = lakePlace;
  return await ask(['queryable'], 'Glue', async () => await lake.registeredAt(dt, signal));
}

function statusOf({ lakePlace, row, candidate }: Looked, registered: Date | undefined, unknown: Unknown[]): EventWay['status'] {
  // Nothing confirms that the place is the event's.
  if (lakePlace === undefined) return candidate.isConfirmed ? 'in-kafka' : 'unknown';
  switch (lakePlace.verdict) {
    case 'waiting':
      return 'in-kafka';
    case 'dropped':
      if (row === undefined)
        unknown.push({ step: 'queryable', reason: 'The record was dropped, and the search did not meet the record with the row.' });
      return 'duplicate';
    case 'rejected':
      return 'rejected';
    case 'absent':
      return 'lost';
    case 'row':
      if (lakePlace.landedAt !== undefined) return registered === undefined ? 'landed' : 'queryable';
      if (lakePlace.file === undefined) {
        unknown.push({ step: 'landed', reason: 'The batch has several files, and without the record its day is not known.' });
        return 'unknown';
      }
      return lakePlace.hasSuccessor === true ? 'lost' : 'in-kafka';
  }
}

interface WayFacts {
  readonly stream: Stream;
  readonly eventId: string;
  readonly status: EventWay['status'];
  readonly kafka?: Candidate;
  readonly isOnDisk?: boolean;
  readonly lakePlace?: LakePlace | undefined;
  readonly registered?: Date | undefined;
  readonly row?: NamedPlace | undefined;
  readonly duplicates?: readonly NamedPlace[];
  readonly unknown: readonly Unknown[];
}

function wayOf({
  stream,
  eventId,
  status,
  kafka,
  isOnDisk = true,
  lakePlace,
  registered,
  row,
  duplicates = [],
  unknown,
}: WayFacts): EventWay {
  const acceptedMs = timeOfEventId(eventId) ?? kafka?.timestampMs;
  return {
    eventId,
    status,
    ...(acceptedMs === undefined ? {} : { accepted: { at: isoOf(acceptedMs) } }),
    ...(isOnDisk ? { disk: { waiting: true } } : {}),
    ...(kafka === undefined
      ? {}
      : {
          kafka: {
            topic: stream.topic.name,
            ...placeView(kafka),
            ...(kafka.timestampMs === undefined ? {} : { at: isoOf(kafka.timestampMs) }),
            confirmed: kafka.isConfirmed,
          },
        }),
    ...landedView(lakePlace),
    ...(registered === undefined || lakePlace?.landedAt === undefined
      ? {}
      : {
          queryable: {
            database: stream.database,
            table: stream.table,
            at: new Date(Math.max(registered.getTime(), lakePlace.landedAt.getTime())).toISOString(),
          },
        }),
    ...(row === undefined ? {} : { row: placeView(row) }),
    ...(duplicates.length === 0 ? {} : { duplicates: duplicates.map(placeView) }),
    unknown: [...unknown],
    links: { self: followPathOf(stream, eventId, kafka === undefined ? undefined : placeView(kafka)) },
  };
}

function landedView(lakePlace: LakePlace | undefined): Pick<EventWay, 'landed'> {
  if (lakePlace?.batch === undefined || lakePlace.landedAt === undefined) return {};
  const { batch, file, dt, landedAt } = lakePlace;
  return {
    landed: {
      batch: batch.id,
      from: String(batch.from),
      to: String(batch.to),
      ...(file === undefined ? {} : { file }),
      ...(dt === undefined ? {} : { dt }),
      at: landedAt.toISOString(),
    },
  };
}

function placeView({ partition, offset }: NamedPlace): { partition: number; offset: string } {
  return { partition, offset: String(offset) };
}

// A producer may write any timestamp; a Date ends in the year 275760.
function isoOf(ms: number): string {
  return new Date(Math.min(Math.max(ms, 0), 8_640_000_000_000_000)).toISOString();
}

function unknownWithout(unknown: readonly Unknown[], step: FollowStep): readonly Unknown[] {
  return unknown.filter((one) => one.step !== step);
}

function distinct(unknown: readonly Unknown[]): readonly Unknown[] {
  return unknown.filter(({ step, reason }, index) => unknown.findIndex((one) => one.step === step && one.reason === reason) === index);
}
