import { hiddenColumns } from '@millrace/contracts';
import { allObjects, isVisible, readFileName, tablePrefix } from '@millrace/lake';
import { quoted, type Duck } from '../lake/duck.ts';
import type { Lake } from '../lake/open-lake.ts';
import { grouped } from '../numbers.ts';

/** A larger day, in bytes of Parquet, is compared partition by partition, so that DuckDB holds one partition at a time. */
const bytesAtOnce = 128 * 1024 * 1024;

/** Maximum number of differing rows that a report names. The rest is counted. */
export const differencesMax = 1000;

/** The compared offsets [from, to) of a partition. Live rows below `low` cannot be replayed: retention removed their records. */
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

/** Result of {@link compareTables}. */
export interface Comparison {
  readonly days: readonly ComparedDay[];
  /** The first thousand differing rows. */
  readonly differences: readonly Difference[];
  readonly differing: number;
  /** Number of live rows whose records are no longer in the log. */
  readonly notReplayable: number;
}

/** Options of {@link compareTables}. */
export interface CompareOptions {
  readonly live: Lake;
  readonly replay: Lake;
  readonly ranges: readonly ComparedRange[];
  /** A DuckDB that reads the lake's S3. */
  readonly duck: Duck;
  readonly signal: AbortSignal;
  readonly note?: (text: string) => void;
}

/** Compares two tables day by day on every column, hidden ones included. A row that one table has twice differs, too. */
export async function compareTables({ live, replay, ranges, duck, signal, note }: CompareOptions): Promise<Comparison> {
  const sides = { live: await filesByDay(live, signal), replay: await filesByDay(replay, signal) };
  const columns = [...live.stream.columns.map(({ name }) => name), ...hiddenColumns.map(({ name }) => name)];
  const lost = ranges.filter(({ low }) => low > 0).map(({ partition, low }): ComparedRange => ({ partition, low, from: 0, to: low }));
  const dts = [...new Set([...sides.live.keys(), ...sides.replay.keys()])].toSorted();
  const days: ComparedDay[] = [];
  const differences: Difference[] = [];
  let notReplayable = 0;
  for (const [n, dt] of dts.entries()) {
    note?.(`${dt}: ${grouped(n + 1)} of ${grouped(dts.length)} days`);
    const files = { live: sides.live.get(dt) ?? noFiles, replay: sides.replay.get(dt) ?? noFiles };
    if (lost.length > 0)
      notReplayable += await numberIn(duck, `SELECT count(*) AS n FROM ${selected(columns, files.live.paths, lost)}`, signal);
    const whole = files.live.bytes + files.replay.bytes <= bytesAtOnce;
    const day = { dt, liveRows: 0, replayRows: 0, liveEvents: 0, replayEvents: 0, onlyLive: 0, onlyReplay: 0 };
    for (const slice of whole ? [ranges] : ranges.map((range) => [range])) {
      for (const side of ['live', 'replay'] as const) {
        await duck.rows(`CREATE OR REPLACE TEMP TABLE ${side}_rows AS ${selected(columns, files[side].paths, slice)}`, signal);
        day[`${side}Rows`] += await numberIn(duck, `SELECT count(*) AS n FROM ${side}_rows`, signal);
        // The key of an event selects its partition, so no event is in two partitions.
        day[`${side}Events`] += await numberIn(duck, `SELECT count(DISTINCT event_id) AS n FROM ${side}_rows`, signal);
      }
      for (const [side, other] of [
        ['live', 'replay'],
        ['replay', 'live'],
      ] as const) {
        await duck.rows(
          `CREATE OR REPLACE TEMP TABLE difference AS SELECT * FROM ${side}_rows EXCEPT ALL SELECT * FROM ${other}_rows`,
          signal,
        );
        day[side === 'live' ? 'onlyLive' : 'onlyReplay'] += await numberIn(duck, 'SELECT count(*) AS n FROM difference', signal);
        const rows = await duck.rows(
          `SELECT event_id, _partition, _offset FROM difference ORDER BY _partition, _offset LIMIT ${differencesMax - differences.length}`,
          signal,
        );
        for (const row of rows)
          differences.push({
            side,
            dt,
            eventId: String(row['event_id']),
            partition: Number(row['_partition']),
            offset: Number(row['_offset']),
          });
      }
    }
    if (day.liveRows + day.replayRows > 0) days.push(day);
  }
  return { days, differences, differing: days.reduce((sum, { onlyLive, onlyReplay }) => sum + onlyLive + onlyReplay, 0), notReplayable };
}

interface DayFiles {
  readonly paths: readonly string[];
  readonly bytes: number;
}

const noFiles: DayFiles = { paths: [], bytes: 0 };

async function filesByDay({ store, stream, bucket }: Lake, signal: AbortSignal): Promise<ReadonlyMap<string, DayFiles>> {
  const days = new Map<string, DayFiles>();
  for await (const { key, bytes } of allObjects(store, tablePrefix(stream.table), { signal })) {
    const name = isVisible(key) ? readFileName(stream.table, stream.partitionKey, key) : undefined;
    if (name === undefined) continue;
    const day = days.get(name.dt) ?? noFiles;
    days.set(name.dt, { paths: [...day.paths, `s3://${bucket}/${key}`], bytes: day.bytes + bytes });
  }
  return days;
}

function selected(columns: readonly string[], files: readonly string[], ranges: readonly ComparedRange[]): string {
  if (files.length === 0 || ranges.length === 0) return `(SELECT ${columns.map((name) => `NULL AS ${name}`).join(', ')} WHERE false)`;
  const within = ranges
    .map(({ partition, from, to }) => `(_partition = ${partition} AND _offset >= ${from} AND _offset < ${to})`)
    .join(' OR ');
  return `(SELECT ${columns.join(', ')} FROM read_parquet([${files.map(quoted).join(', ')}], hive_partitioning = false) WHERE ${within})`;
}

async function numberIn(duck: Duck, sql: string, signal: AbortSignal): Promise<number> {
  const [row] = await duck.rows(sql, signal);
  return Number(row!['n']);
}
