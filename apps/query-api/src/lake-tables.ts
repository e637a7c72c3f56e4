import type { Stream } from '@millrace/contracts';
import { allKeys, type GlueCatalog, type ObjectStore } from '@millrace/lake';
import type { SandboxTable } from './engines/duckdb/sandbox-protocol.ts';
import { QueryError } from './errors.ts';
import { unanswered } from './unanswered.ts';

/** Most LISTs under way at once for one query. */
const listsMax = 16;

/** Limits of a table that is read through its file list. */
export interface LakeTableLimits {
  readonly filesMax: number;
}

/**
 * The files of a stream's table: those at the locations of the partitions that Glue knows, and no others.
 *
 * @throws QueryError `unavailable` when Glue or S3 cannot be read, `engine-failed` when the table has more files than the limit or
 * a partition at a place that does not tell its value
 */
export async function lakeTable(
  stream: Stream,
  database: string,
  catalog: Pick<GlueCatalog, 'partitions'>,
  storeOf: (bucket: string) => Pick<ObjectStore, 'list'>,
  limits: LakeTableLimits,
  signal: AbortSignal,
): Promise<SandboxTable> {
  try {
    const partitions = await catalog.partitions({ signal });
    const lists: string[][] = [];
    let filesSeen = 0;
    const queue = partitions.entries();
    const listing = async (): Promise<void> => {
      for (const [index, { value, location }] of queue) {
        const files = await filesAt(location, stream.partitionKey, value, storeOf, signal);
        filesSeen += files.length;
        if (filesSeen > limits.filesMax) throw new QueryError('engine-failed', `The table ${stream.table} has more than ${limits.filesMax} files, too many for DuckDB; use another engine.`);
        lists[index] = files;
      }
    };
    await Promise.all(Array.from({ length: Math.min(listsMax, partitions.length) }, listing));
    return { database, name: stream.table, columns: stream.columns, partitionKey: stream.partitionKey, files: lists.flat() };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof QueryError) throw error;
    throw unanswered(error, `The files of the table ${stream.table} cannot be listed: the catalog or S3 does not answer.`);
  }
}

async function filesAt(location: string, partitionKey: string, value: string, storeOf: (bucket: string) => Pick<ObjectStore, 'list'>, signal: AbortSignal): Promise<string[]> {
  const { bucket, prefix } = placeOf(location);
  // DuckDB takes the partition's value from the path, so the path must tell the value that the catalog tells.
  if (!prefix.endsWith(`${partitionKey}=${value}/`)) {
    throw new QueryError('engine-failed', `The partition ${partitionKey}=${value} is registered at ${location}, which does not end in ${partitionKey}=${value}/.`);
  }
  const files: string[] = [];
  for await (const key of allKeys(storeOf(bucket) as ObjectStore, prefix, { signal })) {
    // As Hive readers do: names that begin with _ or . are not data.
    const isData = key.slice(prefix.length).split('/').every((part) => part !== '' && !part.startsWith('_') && !part.startsWith('.'));
    if (isData) files.push(`s3://${bucket}/${key}`);
  }
  return files;
}

function placeOf(location: string): { bucket: string; prefix: string } {
  const match = /^s3:\/\/([^/]+)\/(.*)$/.exec(location);
  if (match === null) throw new QueryError('engine-failed', `The location ${location} is not on S3.`);
  const prefix = match[2]!;
  return { bucket: match[1]!, prefix: prefix.endsWith('/') ? prefix : `${prefix}/` };
}
