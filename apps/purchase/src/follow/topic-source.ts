import { timeOfEventId } from '@millrace/contracts';
import type { FollowSources, NamedPlace } from './follow-event.ts';
import { clockSlackMs, newestRanges, rangesAround, rangesBefore, timesAround } from './search-ranges.ts';
import type { TopicReader } from './topic-reader.ts';

/** Dependencies and limits of {@link topicSource}. */
export interface TopicSourceOptions {
  /** Runs with a reader of the topic, within the pipeline around it. */
  readonly withReader: <T>(run: (reader: TopicReader) => Promise<T>, signal: AbortSignal) => Promise<T>;
  /** Maximum number of records that one search reads, ≥ 1. */
  readonly recordsMax: number;
  /** Longest time of one search, in milliseconds, ≥ 1. */
  readonly searchMsMax: number;
  readonly now: () => number;
}

/** Finds the records of an event in its topic, within the limits. */
export function topicSource({ withReader, recordsMax, searchMsMax, now }: TopicSourceOptions): FollowSources['topic'] {
  const limitsFrom = (startMs: number) => ({ recordsMax, isOver: () => now() - startMs > searchMsMax });
  return {
    async find(eventId, named, signal) {
      return await withReader(async (reader) => {
        const start = now();
        const log = await reader.logRanges();
        const isThere = log.some(
          ({ partition, low, high }) => partition === named?.partition && named.offset >= low && named.offset < high,
        );
        const record = named !== undefined && isThere ? await reader.recordAt(named.partition, named.offset, eventId) : undefined;
        if (record !== undefined) return { named: record, found: [], searched: '' };
        const time = timeOfEventId(eventId);
        const around = time === undefined ? [] : rangesAround(log, await offsetsAt(reader, timesAround(time)));
        // The clock behind an id from the future was wrong, so the record may be older than the id says.
        const ranges = time === undefined || time > start + clockSlackMs ? [...around, ...newestRanges(log, recordsMax)] : around;
        const { found, isComplete, recordsRead } = await reader.search(eventId, ranges, limitsFrom(start));
        return { found, searched: searchedText(recordsRead, isComplete, time !== undefined) };
      }, signal);
    },
    async findBefore(eventId, place: NamedPlace, signal) {
      return await withReader(async (reader) => {
        const start = now();
        const ranges = rangesBefore(await reader.logRanges(), place.partition, place.offset);
        return (await reader.search(eventId, ranges, limitsFrom(start))).found;
      }, signal);
    },
  };
}

async function offsetsAt(
  reader: TopicReader,
  [earliest, likely, latest]: ReturnType<typeof timesAround>,
): Promise<Parameters<typeof rangesAround>[1]> {
  return [await reader.offsetsFrom(earliest), await reader.offsetsFrom(likely), await reader.offsetsFrom(latest)];
}

function searchedText(recordsRead: number, isComplete: boolean, hasTime: boolean): string {
  const part = hasTime ? 'from one minute before the time in the event id on' : 'the newest ones, because the event id holds no time';
  const records = `${recordsRead} record${recordsRead === 1 ? '' : 's'} of the topic were read (${part})`;
  return isComplete ? records : `${records}, and the search ended at its limit`;
}
