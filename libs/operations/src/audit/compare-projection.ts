import { hiddenColumns, type Stream } from '@millrace/contracts';
import {
  allKeys,
  compactedPrefix,
  isVisible,
  readFileName,
  rebuildRemedy,
  tablePrefix,
  type AuditFault,
  type AuditedProjection,
  type AuditReport,
  type SnapshotFile,
} from '@millrace/lake';
import { Duck, quoted } from '../lake/duck.ts';
import { duckTypes } from '../lake/parquet-file.ts';
import type { Target } from '../target.ts';

/** Rows of one day: their number, the number of their places in the topic, and a sum of hashes over all columns. */
interface DaySums {
  readonly rows: number;
  readonly places: number;
  readonly hashes: string;
}

/** One day whose files were compacted. */
interface CompactedDay {
  readonly dt: string;
  /** Files of the base up to the position that the Iceberg table does not hold by themselves. */
  readonly base: readonly string[];
  readonly compacted: readonly string[];
}

/**
 * Adds to a report the comparison of every compacted file with the rows of the base that it replaced. It compares their number, their
 * distinct partitions and offsets, and their values. A file of the base that the Iceberg table still holds is the same object in both.
 *
 * @param table that the report was made with: it keeps the manifests that it has read
 * @throws OperationError `unavailable` when DuckDB cannot read S3
 */
export async function withComparedRows(
  report: AuditReport,
  target: Pick<Target, 'lake' | 'httpfsPath'>,
  table: AuditedProjection,
  signal: AbortSignal,
  note: (text: string) => void,
): Promise<AuditReport> {
  const { stream, bucket } = target.lake;
  if (report.projection === undefined) return report;
  const snapshot = await table.newest({ signal });
  // The report compares one commit. The next audit compares a newer one.
  if (snapshot?.commit.n !== report.projection.commit) return report;
  // A repaired file has fewer rows than the compacted file that holds the rows from before the loss.
  const repaired = new Set(report.losses.flatMap(({ key }) => (key === undefined ? [] : [dayOf(stream, key)])));
  const files = await table.filesIn(snapshot, (dt) => !repaired.has(dt), { signal });
  const days = await compactedDays(target, files, (partition) => snapshot.position[partition]?.to ?? 0, signal);
  const faults: AuditFault[] = [];
  let comparedRows = 0;
  const duck = await Duck.openFor(target, 1024);
  try {
    for (const [index, day] of days.entries()) {
      note(`Iceberg table: ${index} of ${days.length} days compared`);
      const [base, iceberg] = [
        await sumsOf(duck, stream, bucket, day.base, signal),
        await sumsOf(duck, stream, bucket, day.compacted, signal),
      ];
      comparedRows += iceberg.rows;
      const what = differenceOf(base, iceberg);
      if (what !== undefined)
        faults.push({
          kind: 'projection',
          what: `The compacted files of ${day.dt} differ from the base: ${what}.`,
          next: rebuildRemedy,
        });
    }
  } finally {
    duck.close();
  }
  return {
    ...report,
    projection: { ...report.projection, comparedRows },
    ...(faults.length === 0
      ? {}
      : { verdict: 'faulty', faults: [...report.faults, ...faults], faultCount: report.faultCount + faults.length }),
  };
}

async function compactedDays(
  { lake: { store, stream } }: Pick<Target, 'lake'>,
  files: readonly SnapshotFile[],
  positionOf: (partition: number) => number,
  signal: AbortSignal,
): Promise<CompactedDay[]> {
  const own = new Set(files.map(({ key }) => key));
  const compacted = files.filter(({ key }) => key.startsWith(compactedPrefix(stream.table)));
  const days = new Map<string, CompactedDay & { base: string[]; compacted: string[] }>();
  for (const { key, partition: dt } of compacted) {
    const day = days.get(dt) ?? { dt, base: [], compacted: [] };
    days.set(dt, day);
    day.compacted.push(key);
  }
  for await (const key of allKeys(store, tablePrefix(stream.table), { signal })) {
    const name = isVisible(key) ? readFileName(stream.table, stream.partitionKey, key) : undefined;
    if (name === undefined || own.has(key) || name.to > positionOf(name.partition)) continue;
    days.get(name.dt)?.base.push(key);
  }
  return [...days.values()].toSorted((a, b) => (a.dt < b.dt ? -1 : 1));
}

async function sumsOf(duck: Duck, stream: Stream, bucket: string, keys: readonly string[], signal: AbortSignal): Promise<DaySums> {
  if (keys.length === 0) return { rows: 0, places: 0, hashes: '0' };
  // Columns are found by field id, so a file from before a field existed has null for it.
  const columns = [...stream.columns, ...hiddenColumns];
  const schema = columns.map(({ fieldId, name, type }) => `${fieldId}: {name: '${name}', type: '${duckTypes[type]}', default_value: NULL}`);
  const files = keys.map((key) => quoted(`s3://${bucket}/${key}`)).join(', ');
  const [partition, offset] = hiddenColumns;
  const [row] = await duck.rows(
    [
      `SELECT count(*)::INTEGER AS rows, count(DISTINCT (${partition.name}, ${offset.name}))::INTEGER AS places,`,
      `coalesce(sum(hash(${columns.map(({ name }) => name).join(', ')})::HUGEINT), 0)::VARCHAR AS hashes`,
      `FROM read_parquet([${files}], schema = MAP {${schema.join(', ')}}, hive_partitioning = false)`,
    ].join('\n'),
    signal,
  );
  return row as unknown as DaySums;
}

function differenceOf(base: DaySums, iceberg: DaySums): string | undefined {
  if (base.rows !== iceberg.rows) return `they have ${iceberg.rows} rows of the base's ${base.rows}`;
  if (base.places !== iceberg.places) return `their rows have ${iceberg.places} places in the topic, and those of the base ${base.places}`;
  return base.hashes === iceberg.hashes ? undefined : `their ${base.rows} rows have other values`;
}

function dayOf(stream: Stream, key: string): string | undefined {
  return readFileName(stream.table, stream.partitionKey, key)?.dt;
}
