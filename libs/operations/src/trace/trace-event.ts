import { entryNumber, isLakeError, Ledger, type LaneId, type LedgerEntry } from '@millrace/lake';
import { OperationError } from '../errors.ts';
import { Duck } from '../lake/duck.ts';
import { findRows, type FoundRow } from '../lake/find-rows.ts';
import { landedEnds } from '../lake/landed-ends.ts';
import { counted } from '../numbers.ts';
import { beginPhase, type OperationOptions } from '../progress.ts';
import { listRejectFiles, readRejectFiles } from '../rejects/reject-files.ts';
import type { Target } from '../target.ts';
import { carries, findDuplicates } from './find-duplicates.ts';
import { icebergFilesOf } from './iceberg-file.ts';
import { likelyOffsets } from './likely-offsets.ts';
import { searchTopic } from './search-topic.ts';

/** A place in the topic and the batch that it landed with. The batch is null when no entry holds the offset. */
export interface EventPlace {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly batch: TracedBatch | null;
}

/** The batch that an offset landed with. */
export interface TracedBatch {
  readonly id: string;
  /** Number of the entry in the partition's ledger, from 1. */
  readonly entry: number;
  readonly from: number;
  readonly to: number;
}

/** A row of the table. */
export interface TracedRow extends EventPlace {
  /** Key of the file in the base. */
  readonly file: string;
  /** Value of the partition key. */
  readonly dt: string;
  /** Key of the file by which the Iceberg table holds the row: the file of the base, or a compacted one. Null when it does not hold it. */
  readonly icebergFile: string | null;
}

/** The places of an event. */
export interface EventTrace {
  readonly eventId: string;
  /**
   * - `landed`: the event is a row.
   * - `waiting`: it is in the topic and has not landed.
   * - `rejected`: it broke the contract.
   * - `lost`: an entry records it as a row, and the row no longer exists.
   * - `not-found`: it is in none of the places.
   * - `unknown`: it was not found, and a part of the topic was not searched.
   */
  readonly status: 'landed' | 'waiting' | 'rejected' | 'lost' | 'not-found' | 'unknown';
  readonly rows: readonly TracedRow[];
  readonly rejects: readonly (EventPlace & { readonly file: string; readonly reason: string })[];
  /** Records of the event that the sink dropped because the event was already a row. */
  readonly duplicates: readonly EventPlace[];
  /** Records in the topic that have not landed. `behind` offsets of the partition land before each. */
  readonly waiting: readonly (EventPlace & { readonly behind: number })[];
  /** Records in the topic whose rows no longer exist: their files were deleted, or a gap covers them. */
  readonly lost: readonly EventPlace[];
  /** The parts that were not searched, one sentence each. */
  readonly unseen: readonly string[];
}

/** Options of {@link traceEvent}. */
export interface TraceOptions extends OperationOptions<'trace'> {
  /** Reads the whole topic instead of its end. Default: false. */
  readonly deep?: boolean;
  /** Maximum number of events that are read from the end of the topic, the newest first, ≥ 1. Default 1,000,000. */
  readonly eventsMax?: number;
}

interface TraceParts {
  readonly target: Target;
  readonly duck: Duck;
  readonly signal: AbortSignal;
  readonly note: (text: string) => void;
}

/**
 * Follows an event through the table, the reject files and the topic.
 *
 * @param eventId id of the event, in any case
 * @throws OperationError `unavailable` when DuckDB cannot read S3. A Kafka that does not answer is reported in {@link EventTrace.unseen}
 */
export async function traceEvent(
  target: Target,
  eventId: string,
  { deep = false, eventsMax = 1_000_000, signal, onProgress }: TraceOptions,
): Promise<EventTrace> {
  const note = beginPhase(onProgress, 'trace');
  const duck = await Duck.openFor(target, 512);
  try {
    return await trace({ target, duck, signal, note }, eventId.toLowerCase(), { deep, eventsMax });
  } finally {
    duck.close();
  }
}

async function trace(
  parts: TraceParts,
  eventId: string,
  options: { readonly deep: boolean; readonly eventsMax: number },
): Promise<EventTrace> {
  const { target, duck, signal, note } = parts;
  const { lake, kafka } = target;
  // Read the ends before the table: an event that lands in between is then found in the table or in the topic.
  const ends = await landedEnds(lake, signal);
  const likely = options.deep ? undefined : await likelyOffsets(kafka, lake.stream.topic.name, eventId);
  const guessed = likely === undefined ? [] : await findRows(lake, duck, [eventId], { signal, note, within: likely });
  const found = guessed.length > 0 ? guessed : await findRows(lake, duck, [eventId], { signal, note });
  const unseen: string[] = [];
  const rows = await rowsAt(parts, found, unseen);
  const rejects = await rejectsOf(parts, eventId);
  const seen = new Set([...rows, ...rejects].map(({ partition, offset }) => `${partition}/${offset}`));
  const duplicates: EventPlace[] = [];
  const waiting: EventTrace['waiting'][number][] = [];
  const lost: EventPlace[] = [];
  try {
    if (options.deep || seen.size === 0) {
      const { places, left } = await searchTopic(target, eventId, ends, { ...options, signal, note });
      unseen.push(...left);
      const landed = await landedEnds(lake, signal);
      for (const { partition, offset } of places.filter((place) => !seen.has(`${place.partition}/${place.offset}`))) {
        const lane = { table: lake.stream.table, topic: lake.stream.topic.name, partition };
        const end = landed.get(partition)?.landed ?? 0;
        if (offset >= end) {
          waiting.push({ ...placeIn(lane, offset, undefined), behind: offset - end });
          continue;
        }
        const batch = await batchAt(parts, lane, offset);
        const row =
          batch?.dropped === true
            ? undefined
            : (await findRows(lake, duck, [eventId], { signal })).find((one) => one.lane.partition === partition && one.offset === offset);
        if (row !== undefined) rows.push(...(await rowsAt(parts, [row], unseen)));
        else (batch?.dropped === true ? duplicates : lost).push(placeIn(lane, offset, batch));
      }
    } else {
      for (const { lane, offset } of found) {
        const dropped = await findDuplicates(target, eventId, lane, offset, signal);
        for (const one of dropped) duplicates.push(placeIn(lane, one, await batchAt(parts, lane, one)));
      }
    }
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    unseen.push(`the topic (${rows.length > 0 ? 'duplicates that were dropped' : 'events that have not landed yet'}): ${error.message}`);
  }
  const status =
    rows.length > 0
      ? 'landed'
      : waiting.length > 0
        ? 'waiting'
        : lost.length > 0
          ? 'lost'
          : rejects.length > 0
            ? 'rejected'
            : unseen.length > 0
              ? 'unknown'
              : 'not-found';
  return { eventId, status, rows, rejects, duplicates, waiting, lost, unseen };
}

async function rejectsOf(parts: TraceParts, eventId: string): Promise<EventTrace['rejects'][number][]> {
  const {
    target: { lake },
    signal,
    note,
  } = parts;
  const rejects: EventTrace['rejects'][number][] = [];
  let files = 0;
  for await (const { file, records } of readRejectFiles(lake, await listRejectFiles(lake, signal), signal)) {
    for (const record of records) {
      if (!carries(record, eventId)) continue;
      rejects.push({
        ...placeIn(file.lane, record.offset, await batchAt(parts, file.lane, record.offset)),
        file: file.key,
        reason: record.reason,
      });
    }
    files += 1;
    note(`${counted(files, 'reject file')} read`);
  }
  return rejects;
}

async function rowsAt(parts: TraceParts, found: readonly FoundRow[], unseen: string[]): Promise<TracedRow[]> {
  const { target, duck, signal } = parts;
  const files = await icebergFilesOf(target.lake, duck, found, signal).catch((error: unknown): undefined => {
    if (!isLakeError(error, 'bad-entry')) throw error;
    unseen.push(`the Iceberg table: ${error.message}`);
  });
  return await Promise.all(
    found.map(async ({ lane, offset, file, dt }, n) => ({
      ...placeIn(lane, offset, await batchAt(parts, lane, offset)),
      file,
      dt,
      icebergFile: files?.[n] ?? null,
    })),
  );
}

async function batchAt(
  {
    target: {
      lake: { store },
    },
    signal,
  }: TraceParts,
  lane: LaneId,
  offset: number,
): Promise<(TracedBatch & { readonly dropped: boolean }) | undefined> {
  const entry: LedgerEntry | undefined = await new Ledger(store, lane).entryHolding(offset, { signal });
  if (entry === undefined) return undefined;
  const dropped = entry.dropped.some(([from, to]) => offset >= from && offset < to);
  return { id: entry.id, entry: await entryNumber(store, lane, entry.from, { signal }), from: entry.from, to: entry.to, dropped };
}

function placeIn({ topic, partition }: LaneId, offset: number, batch: TracedBatch | undefined): EventPlace {
  return {
    topic,
    partition,
    offset,
    batch: batch === undefined ? null : { id: batch.id, entry: batch.entry, from: batch.from, to: batch.to },
  };
}
