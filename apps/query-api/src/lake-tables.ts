import type { Stream } from '@millrace/contracts';
import { allObjects, type GlueCatalog, type InspectableStore } from '@millrace/lake';
import { mayHaveOlderFiles, type LakeFile, type LakeTable } from './engines/duckdb/lake-file.ts';
import { QueryError } from './errors.ts';
import type { PartitionFilter } from './statement/table-reads.ts';
import { unanswered } from './unanswered.ts';

/** LISTs under way at once for one query. */
const listsMax = 16;

/** The part of a table that one statement needs. */
export interface TableNeed {
  readonly stream: Stream;
  /** Partitions that the statement may need. The others are not listed. */
  readonly filter: PartitionFilter;
  /** Files that the statement may read. */
  readonly filesMax: number;
}

/** Where a table's partitions and files are found. */
export interface LakePlaces {
  readonly database: string;
  readonly catalogOf: (stream: Stream) => Pick<GlueCatalog, 'partitions'>;
  readonly storeOf: (bucket: string) => Pick<InspectableStore, 'listSized'>;
}

/**
 * Lists the files of a table that a statement needs. Only files at the locations of registered partitions belong to the table.
 *
 * @throws QueryError `unavailable` when Glue or S3 does not answer. `engine-failed` when there are more files than the limit, or when
 * the location of a partition does not contain its value.
 */
export async function lakeTable(
  { stream, filter, filesMax }: TableNeed,
  { database, catalogOf, storeOf }: LakePlaces,
  signal: AbortSignal,
): Promise<LakeTable> {
  // After a failure no list is begun. Those under way end by themselves: one of them may be the call that closes the circuit again.
  let failed = false;
  try {
    const partitions = (await catalogOf(stream).partitions({ signal })).filter(({ value }) => filter(value));
    const lists: LakeFile[][] = [];
    let filesSeen = 0;
    const queue = partitions.entries();
    const listNext = async (): Promise<void> => {
      for (const [index, { value, location }] of queue) {
        if (failed) return;
        const files: LakeFile[] = [];
        for await (const file of filesAt(location, stream.partitionKey, value, storeOf, signal)) {
          files.push(file);
          filesSeen += 1;
          if (filesSeen > filesMax) throw tooManyFiles(stream, filesMax);
        }
        lists[index] = files;
      }
    };
    await Promise.all(Array.from({ length: Math.min(listsMax, partitions.length) }, listNext));
    const { table, columns, partitionKey } = stream;
    return { database, name: table, columns, partitionKey, hasOlderFiles: mayHaveOlderFiles(stream), files: lists.flat() };
  } catch (error) {
    failed = true;
    signal.throwIfAborted();
    if (error instanceof QueryError) throw error;
    throw unanswered(error, `The files of the table ${stream.table} cannot be listed: the catalog or S3 does not answer.`);
  }
}

/** The error of a statement that would read too many files. */
export function tooManyFiles({ table, partitionKey }: Stream, filesMax: number): QueryError {
  return new QueryError(
    'engine-failed',
    `The statement reads more than ${filesMax} files of the table ${table}, the limit of DuckDB. Add a condition on ${partitionKey} to WHERE, use another engine, or raise QUERY_TABLE_FILES_MAX.`,
  );
}

async function* filesAt(
  location: string,
  partitionKey: string,
  value: string,
  storeOf: LakePlaces['storeOf'],
  signal: AbortSignal,
): AsyncGenerator<LakeFile> {
  const { bucket, prefix } = placeOf(location);
  // Athena and Trino take the value from the catalog; a location with another one is most likely a mistake.
  if (!prefix.endsWith(`${partitionKey}=${value}/`)) {
    throw new QueryError(
      'engine-failed',
      `The partition ${partitionKey}=${value} is registered at ${location}, which does not end in ${partitionKey}=${value}/.`,
    );
  }
  for await (const { key, bytes } of allObjects(storeOf(bucket), prefix, { signal })) {
    // As Hive readers do: names that begin with _ or . are not data.
    const isData = key
      .slice(prefix.length)
      .split('/')
      .every((part) => part !== '' && !part.startsWith('_') && !part.startsWith('.'));
    if (isData) yield { bucket, key, bytes, partition: value };
  }
}

function placeOf(location: string): { bucket: string; prefix: string } {
  const match = /^s3:\/\/([^/]+)\/(.*)$/.exec(location);
  if (match === null) throw new QueryError('engine-failed', `The location ${location} is not on S3.`);
  const prefix = match[2]!;
  return { bucket: match[1]!, prefix: prefix.endsWith('/') ? prefix : `${prefix}/` };
}
