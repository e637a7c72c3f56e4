import { entryNumber, Ledger, type LaneId, type LedgerEntry } from '@millrace/lake';
import type { Duck } from './duck.ts';
import { OperatorError } from './errors.ts';
import { carries, findDuplicates } from './find-duplicates.ts';
import { findRows, type FoundRow } from './find-rows.ts';
import { landedEnds } from './landed-ends.ts';
import { likelyOffsets } from './likely-offsets.ts';
import { counted } from './numbers.ts';
import type { Lake } from './open-lake.ts';
import type { OperatorContext } from './operator-context.ts';
import { listRejectFiles, readRejectFiles } from './rejects/reject-files.ts';
import { searchTopic } from './search-topic.ts';

/** A place in the topic, and the batch that it landed with; null where it has not, or no entry holds it. */
export interface EventPlace {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly batch: TracedBatch | null;
}

/** The batch that an offset landed with. */
export interface TracedBatch {
  readonly id: string;
  /** Which entry of the partition's ledger it is, the first being 1. */
  readonly entry: number;
  readonly from: number;
  readonly to: number;
}

/** Where an event is. */
export interface EventTrace {
  readonly eventId: string;
  /**
   * `landed`: a row; `waiting`: in the topic, behind what has landed; `lost`: recorded as a row that is not there any more; `not-found`:
   * in none of the places; `unknown`: it was not found, and a part of the topic was not looked at.
   */
  readonly status: 'landed' | 'waiting' | 'rejected' | 'lost' | 'not-found' | 'unknown';
  readonly rows: readonly (EventPlace & { readonly file: string; readonly dt: string })[];
  readonly rejects: readonly (EventPlace & { readonly file: string; readonly reason: string })[];
  /** Records of the event that were dropped because it is a row already. */
  readonly duplicates: readonly EventPlace[];
  /** In the topic and not landed yet; `behind` offsets of the partition have to land first. */
  readonly waiting: readonly (EventPlace & { readonly behind: number })[];
  /** In the topic, recorded as rows, and rows no more: their files were deleted, or they stand in a gap. */
  readonly lost: readonly EventPlace[];
  /** What was not looked at, a sentence each. */
  readonly unseen: readonly string[];
}

/** How far a trace goes. */
export interface TraceOptions {
  /** Reads the whole topic instead of its end. */
  readonly deep: boolean;
  /** Most events of the topic's end that are read, the newest first. */
  readonly eventsMax: number;
}

/** What a trace works with. */
export interface TraceParts extends Pick<OperatorContext, 'env' | 'signal'> {
  readonly lake: Lake;
  /** Reads the lake's S3. */
  readonly duck: Duck;
  readonly note: (text: string) => void;
}

/** Follows an event: first the table, then the reject files, then the topic behind what has landed. */
export async function traceEvent(parts: TraceParts, eventId: string, options: TraceOptions): Promise<EventTrace> {
  const { lake, duck, env, signal, note } = parts;
  // Before the table is looked through: what lands in between is then found in the table or in the topic.
  const ends = await landedEnds(lake, signal);
  const likely = options.deep ? undefined : await likelyOffsets(env, lake.stream.topic.name, eventId);
  const guessed = likely === undefined ? [] : await findRows(lake, duck, [eventId], { signal, note, within: likely });
  const found = guessed.length > 0 ? guessed : await findRows(lake, duck, [eventId], { signal, note });
  const rows = await Promise.all(found.map(async (row) => await rowAt(parts, row)));
  const rejects = await rejectsOf(parts, eventId);
  const seen = new Set([...rows, ...rejects].map(({ partition, offset }) => `${partition}/${offset}`));
  const duplicates: EventPlace[] = [];
  const waiting: EventTrace['waiting'][number][] = [];
  const lost: EventPlace[] = [];
  const unseen: string[] = [];
  try {
    if (options.deep || seen.size === 0) {
      const { places, left } = await searchTopic(parts, eventId, ends, options);
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
        const row = batch?.dropped === true ? undefined : (await findRows(lake, duck, [eventId], { signal })).find((one) => one.lane.partition === partition && one.offset === offset);
        if (row !== undefined) rows.push(await rowAt(parts, row));
        else (batch?.dropped === true ? duplicates : lost).push(placeIn(lane, offset, batch));
      }
    } else {
      for (const { lane, offset } of found) {
        const dropped = await findDuplicates(lake, env, eventId, lane, offset, signal);
        for (const one of dropped) duplicates.push(placeIn(lane, one, await batchAt(parts, lane, one)));
      }
    }
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    unseen.push(`the topic (${rows.length > 0 ? 'duplicates that were dropped' : 'events that have not landed yet'}): ${error.message}`);
  }
  const status = rows.length > 0 ? 'landed' : waiting.length > 0 ? 'waiting' : lost.length > 0 ? 'lost' : rejects.length > 0 ? 'rejected' : unseen.length > 0 ? 'unknown' : 'not-found';
  return { eventId, status, rows, rejects, duplicates, waiting, lost, unseen };
}

async function rejectsOf(parts: TraceParts, eventId: string): Promise<EventTrace['rejects'][number][]> {
  const { lake, signal, note } = parts;
  const rejects: EventTrace['rejects'][number][] = [];
  let files = 0;
  for await (const { file, records } of readRejectFiles(lake, await listRejectFiles(lake, signal), signal)) {
    for (const record of records) {
      if (!carries(record, eventId)) continue;
      rejects.push({ ...placeIn(file.lane, record.offset, await batchAt(parts, file.lane, record.offset)), file: file.key, reason: record.reason });
    }
    files += 1;
    note(`${counted(files, 'reject file')} looked through`);
  }
  return rejects;
}

async function rowAt(parts: TraceParts, { lane, offset, file, dt }: FoundRow): Promise<EventTrace['rows'][number]> {
  return { ...placeIn(lane, offset, await batchAt(parts, lane, offset)), file, dt };
}

async function batchAt({ lake: { store }, signal }: TraceParts, lane: LaneId, offset: number): Promise<(TracedBatch & { readonly dropped: boolean }) | undefined> {
  const entry: LedgerEntry | undefined = await new Ledger(store, lane).entryHolding(offset, { signal });
  if (entry === undefined) return undefined;
  const dropped = entry.dropped.some(([from, to]) => offset >= from && offset < to);
  return { id: entry.id, entry: await entryNumber(store, lane, entry.from, { signal }), from: entry.from, to: entry.to, dropped };
}

function placeIn({ topic, partition }: LaneId, offset: number, batch: TracedBatch | undefined): EventPlace {
  return { topic, partition, offset, batch: batch === undefined ? null : { id: batch.id, entry: batch.entry, from: batch.from, to: batch.to } };
}
