import type { Stream, TableDetail } from '@millrace/contracts';
import { icebergTableName, type DayTotals } from '@millrace/lake';
import { offsetsOf } from '../layouts/projected-table.ts';
import type { TableState } from './table-reader.ts';

/** Partitions that one answer names, the newest ones. */
export const partitionsMax = 1000;

type Partition = TableDetail['partitions'][number];

/** The columns of a table as statements see them: those of the files, then the partition key. */
export function columnsOf({ columns, partitionKey }: Pick<Stream, 'columns' | 'partitionKey'>): TableDetail['columns'] {
  return [
    ...columns.map(({ name, type, description }) => ({ name, type, description })),
    {
      name: partitionKey,
      type: 'string',
      description: 'Partition key: the UTC date of the event, YYYY-MM-DD; a condition on it reads less',
    },
  ];
}

/** Describes a table for clients. Rows, files and bytes are those of the ledger. */
export function tableDetail(stream: Stream, database: string, state: TableState): Omit<TableDetail, 'sample'> {
  const { lanes, registered, projection } = state;
  const sum = (field: 'rows' | 'files' | 'bytes'): number => lanes.reduce((total, { totals }) => total + totals[field], 0);
  const partitions = partitionsOf(state);
  const offsets = projection === undefined ? [] : offsetsOf(stream, projection.snapshot);
  return {
    name: stream.table,
    database,
    topic: stream.topic.name,
    partitionKey: stream.partitionKey,
    columns: columnsOf(stream),
    at: iso(state.atMs),
    rows: sum('rows'),
    files: sum('files'),
    bytes: sum('bytes'),
    partitionCount: partitions.length,
    registeredCount: registered.length,
    partitions: partitions.slice(0, partitionsMax),
    lanes: lanes.map(({ partition, totals, recordedAtMs }) => {
      const newest = Math.max(...Object.values(totals.days).map(({ maxTimestamp }) => maxTimestamp));
      return {
        partition,
        offset: totals.to,
        rows: totals.rows,
        ...(Number.isFinite(newest) ? { newestEventAt: iso(newest * 1000) } : {}),
        ...(recordedAtMs === undefined ? {} : { recordedAt: iso(recordedAtMs) }),
      };
    }),
    projection:
      projection === undefined
        ? null
        : {
            table: icebergTableName(stream.table),
            commit: projection.snapshot.commit.n,
            committedAt: iso(projection.snapshot.commit.atMs),
            files: projection.files,
            rows: projection.rows,
            bytes: projection.bytes,
            offsets,
            behindOffsets: lanes.reduce((total, { partition, totals }) => total + Math.max(0, totals.to - (offsets[partition] ?? 0)), 0),
          },
  };
}

/** Partitions of the ledger and of the catalog, the newest first. */
function partitionsOf({ lanes, registered }: TableState): Partition[] {
  const known = new Set(registered.map(({ value }) => value));
  const days = new Map<string, DayTotals | undefined>(registered.map(({ value }) => [value, undefined]));
  for (const { totals } of lanes) for (const [value, day] of Object.entries(totals.days)) days.set(value, added(days.get(value), day));
  return [...days]
    .toSorted(([a], [b]) => (a < b ? 1 : -1))
    .map(([value, day]) => ({
      value,
      isRegistered: known.has(value),
      rows: day?.rows ?? 0,
      files: day?.files ?? 0,
      bytes: day?.bytes ?? 0,
      ...(day === undefined ? {} : { oldestEventAt: iso(day.minTimestamp * 1000), newestEventAt: iso(day.maxTimestamp * 1000) }),
    }));
}

function added(one: DayTotals | undefined, other: DayTotals): DayTotals {
  if (one === undefined) return other;
  return {
    rows: one.rows + other.rows,
    files: one.files + other.files,
    bytes: one.bytes + other.bytes,
    minTimestamp: Math.min(one.minTimestamp, other.minTimestamp),
    maxTimestamp: Math.max(one.maxTimestamp, other.maxTimestamp),
  };
}

function iso(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
