import { allKeys, isVisible, lanesOf, readFileName, tablePrefix, type FileName, type LaneId, type OffsetRange } from '@millrace/lake';
import { grouped } from '../numbers.ts';
import { quoted, type Duck } from './duck.ts';
import type { LakeRows } from './open-lake.ts';

/** Maximum number of files that one query of DuckDB reads. */
const filesAtOnce = 256;

/** A row of the table and its place. */
export interface FoundRow {
  readonly eventId: string;
  readonly lane: LaneId;
  readonly offset: number;
  /** Key of the file. */
  readonly file: string;
  /** Value of the partition key. */
  readonly dt: string;
}

/** Options of {@link findRows}. */
export interface FindRowsOptions {
  readonly signal: AbortSignal;
  /** Receives the progress. Default: no report. */
  readonly note?: (text: string) => void;
  /** Reads only the files that hold some of these offsets, by partition. Default: every file. */
  readonly within?: ReadonlyMap<number, OffsetRange> | undefined;
}

/**
 * Finds the rows of events in the table's visible files. It reads the footer of every file, and only the row groups whose smallest and
 * largest id enclose one of the ids.
 *
 * @param duck a DuckDB that reads the lake's S3
 * @param eventIds ids in lower case
 */
export async function findRows(
  { store, stream, bucket }: Omit<LakeRows, 's3Access'>,
  duck: Duck,
  eventIds: readonly string[],
  { signal, note, within }: FindRowsOptions,
): Promise<FoundRow[]> {
  if (eventIds.length === 0) return [];
  const prefix = tablePrefix(stream.table);
  const keys: string[] = [];
  for await (const key of allKeys(store, prefix, { signal })) {
    const name = isVisible(key) ? readFileName(stream.table, stream.partitionKey, key) : undefined;
    if (name !== undefined && (within === undefined || overlaps(name, within.get(name.partition)))) keys.push(key);
  }
  const lanes = new Map((await lanesOf(store, stream.table, { signal })).map((lane) => [lane.partition, lane]));
  const found: FoundRow[] = [];
  const root = `s3://${bucket}/`;
  // Users mostly ask for recent events, so the newest days come first.
  keys.reverse();
  for (let start = 0; start < keys.length; start += filesAtOnce) {
    const part = keys.slice(start, start + filesAtOnce);
    const files = part.map((key) => quoted(`${root}${key}`)).join(', ');
    const rows = await duck.rows(
      `SELECT event_id, _partition, _offset, filename FROM read_parquet([${files}], filename = true, hive_partitioning = false) WHERE event_id IN (${eventIds.map(quoted).join(', ')})`,
      signal,
    );
    for (const row of rows) {
      const file = String(row['filename']).slice(root.length);
      const partition = Number(row['_partition']);
      found.push({
        eventId: String(row['event_id']),
        lane: lanes.get(partition) ?? { table: stream.table, topic: stream.topic.name, partition },
        offset: Number(row['_offset']),
        file,
        dt: readFileName(stream.table, stream.partitionKey, file)!.dt,
      });
    }
    note?.(`${grouped(start + part.length)} of ${grouped(keys.length)} files read`);
  }
  return found.toSorted((a, b) => a.lane.partition - b.lane.partition || a.offset - b.offset);
}

function overlaps({ from, to }: FileName, range: OffsetRange | undefined): boolean {
  return range !== undefined && from < range[1] && to > range[0];
}
