import { hiddenColumns } from '@millrace/contracts';
import { allKeys, isVisible, readFileName, tablePrefix } from '@millrace/lake';
import { quoted, type Duck } from '../duck.ts';
import { grouped } from '../numbers.ts';
import type { Lake } from '../open-lake.ts';

/** Rows of one day above which it is compared a partition of the topic at a time, so that DuckDB needs no more room than for one. */
const rowsAtOnce = 2_000_000;

/** Most differing rows that a report names; the rest is counted. */
export const differencesMax = 1000;

/** The offsets [from, to) of a partition that are compared. Live rows below `low` cannot be replayed: the log lost them. */
export interface ComparedRange {
  readonly partition: number;
  readonly low: number;
  readonly from: number;
  readonly to: number;
}

/** One value of the partition key, in both tables. */
export interface ComparedDay {
  readonly dt: string;
  readonly liveRows: number;
  readonly replayRows: number;
  readonly liveEvents: number;
  readonly replayEvents: number;
  /** Rows that only one of both has. */
  readonly onlyLive: number;
  readonly onlyReplay: number;
}

/** A row that only one of both tables has. */
export interface Difference {
  readonly side: 'live' | 'replay';
  readonly dt: string;
  readonly eventId: string;
  readonly partition: number;
  readonly offset: number;
}

/** What a comparison found. */
export interface Comparison {
  readonly days: readonly ComparedDay[];
  /** The first thousand. */
  readonly differences: readonly Difference[];
  readonly differing: number;
  /** Live rows whose offsets the log no longer has. */
  readonly notReplayable: number;
}

/** What is compared, and how. */
export interface CompareOptions {
  readonly live: Lake;
  readonly replay: Lake;
  readonly ranges: readonly ComparedRange[];
  /** Reads the lake's S3. */
  readonly duck: Duck;
  readonly signal: AbortSignal;
  readonly note?: (text: string) => void;
}

/** Compares two tables day by day, on every column, the hidden ones included. Rows that stand in one twice as often differ, too. */
export async function compareTables({ live, replay, ranges, duck, signal, note }: CompareOptions): Promise<Comparison> {
  const sides = { live: await filesByDay(live, signal), replay: await filesByDay(replay, signal) };
  const columns = [...live.stream.columns.map(({ name }) => name), ...hiddenColumns.map(({ name }) => name)];
  const dts = [...new Set([...sides.live.keys(), ...sides.replay.keys()])].toSorted();
  const days: ComparedDay[] = [];
  const differences: Difference[] = [];
  let differing = 0;
  let notReplayable = 0;
  for (const [n, dt] of dts.entries()) {
    note?.(`${dt}: ${grouped(n + 1)} of ${grouped(dts.length)} days`);
    const rowsOf = (side: 'live' | 'replay', within: readonly ComparedRange[]): string => selected(columns, sides[side].get(dt) ?? [], where(within));
    const lost = ranges.filter(({ low }) => low > 0).map(({ partition, low }): ComparedRange => ({ partition, low, from: 0, to: low }));
    if (lost.length > 0) notReplayable += await number(duck, `SELECT count(*) AS n FROM (${rowsOf('live', lost)})`, signal);
    const [liveRows, liveEvents] = await totals(duck, rowsOf('live', ranges), signal);
    const [replayRows, replayEvents] = await totals(duck, rowsOf('replay', ranges), signal);
    const only = { live: 0, replay: 0 };
    const slices = Math.max(liveRows, replayRows) <= rowsAtOnce ? [ranges] : ranges.map((range) => [range]);
    for (const slice of slices) {
      for (const [side, other] of [['live', 'replay'], ['replay', 'live']] as const) {
        const difference = `${rowsOf(side, slice)} EXCEPT ALL ${rowsOf(other, slice)}`;
        const left = differencesMax - differences.length;
        const rows = await duck.rows(`WITH d AS MATERIALIZED (${difference}) SELECT event_id, _partition, _offset, (SELECT count(*) FROM d) AS n FROM d ORDER BY _partition, _offset LIMIT ${Math.max(1, left)}`, signal);
        only[side] += Number(rows[0]?.['n'] ?? 0);
        for (const row of rows.slice(0, left)) differences.push({ side, dt, eventId: String(row['event_id']), partition: Number(row['_partition']), offset: Number(row['_offset']) });
      }
    }
    differing += only.live + only.replay;
    if (liveRows + replayRows > 0) days.push({ dt, liveRows, replayRows, liveEvents, replayEvents, onlyLive: only.live, onlyReplay: only.replay });
  }
  return { days, differences, differing, notReplayable };
}

async function filesByDay({ store, stream, bucket }: Lake, signal: AbortSignal): Promise<ReadonlyMap<string, readonly string[]>> {
  const days = new Map<string, string[]>();
  for await (const key of allKeys(store, tablePrefix(stream.table), { signal })) {
    const name = isVisible(key) ? readFileName(stream.table, stream.partitionKey, key) : undefined;
    if (name === undefined) continue;
    const day = days.get(name.dt);
    if (day === undefined) days.set(name.dt, [`s3://${bucket}/${key}`]);
    else day.push(`s3://${bucket}/${key}`);
  }
  return days;
}

function selected(columns: readonly string[], files: readonly string[], condition: string): string {
  if (files.length === 0) return `(SELECT ${columns.map((name) => `NULL AS ${name}`).join(', ')} WHERE false)`;
  return `(SELECT ${columns.join(', ')} FROM read_parquet([${files.map(quoted).join(', ')}], hive_partitioning = false) WHERE ${condition})`;
}

function where(ranges: readonly ComparedRange[]): string {
  return ranges.length === 0 ? 'false' : ranges.map(({ partition, from, to }) => `(_partition = ${partition} AND _offset >= ${from} AND _offset < ${to})`).join(' OR ');
}

async function totals(duck: Duck, rows: string, signal: AbortSignal): Promise<[number, number]> {
  const [row] = await duck.rows(`SELECT count(*) AS n, count(DISTINCT event_id) AS ids FROM ${rows}`, signal);
  return [Number(row!['n']), Number(row!['ids'])];
}

async function number(duck: Duck, sql: string, signal: AbortSignal): Promise<number> {
  const [row] = await duck.rows(sql, signal);
  return Number(row!['n']);
}
