import { hiddenColumns } from '@millrace/contracts';
import { compactedPrefix, TableFiles } from '@millrace/lake';
import { quoted, type Duck } from '../lake/duck.ts';
import type { FoundRow } from '../lake/find-rows.ts';
import type { Lake } from '../lake/open-lake.ts';

/**
 * Finds the files by which the Iceberg table holds rows: the file of the base, or the compacted file that took its place. The result has
 * null for a row after the position of the table, and for every row of a table without a projection.
 *
 * @param duck a DuckDB that reads the lake's S3
 * @throws LakeError `bad-entry` when the Iceberg table cannot be read
 */
export async function icebergFilesOf(
  { store, stream, bucket }: Lake,
  duck: Duck,
  rows: readonly FoundRow[],
  signal: AbortSignal,
): Promise<(string | null)[]> {
  if (rows.length === 0) return [];
  const table = new TableFiles({ store, bucket, stream });
  const snapshot = await table.newest({ signal });
  if (snapshot === undefined) return rows.map(() => null);
  const files = await table.filesOf(snapshot, new Set(rows.map(({ dt }) => dt)), { signal });
  const found: (string | null)[] = [];
  for (const row of rows) {
    if (row.offset >= (snapshot.position[row.lane.partition]?.to ?? 0)) {
      found.push(null);
      continue;
    }
    const ofDay = files.filter(({ partition }) => partition === row.dt).map(({ key }) => key);
    const compacted = ofDay.filter((key) => key.startsWith(compactedPrefix(stream.table)));
    found.push(ofDay.includes(row.file) ? row.file : ((await fileHolding(duck, bucket, compacted, row, signal)) ?? null));
  }
  return found;
}

async function fileHolding(
  duck: Duck,
  bucket: string,
  keys: readonly string[],
  { lane, offset: at }: FoundRow,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (keys.length === 0) return undefined;
  const root = `s3://${bucket}/`;
  const [partition, offset] = hiddenColumns;
  const [row] = await duck.rows(
    [
      `SELECT filename FROM read_parquet([${keys.map((key) => quoted(`${root}${key}`)).join(', ')}], filename = true, hive_partitioning = false)`,
      `WHERE ${partition.name} = ${lane.partition} AND ${offset.name} = ${at} LIMIT 1`,
    ].join('\n'),
    signal,
  );
  return row === undefined ? undefined : String(row['filename']).slice(root.length);
}
