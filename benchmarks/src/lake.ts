import { cpus, totalmem } from 'node:os';
import { purchases } from '@millrace/contracts';
import { BenchLake } from './lake/bench-lake.ts';
import { runProjector, type ProjectorCost } from './lake/projector-run.ts';
import { reports, timeReports, timeTrinoReports, type ReportTimes } from './lake/read-reports.ts';
import { minutesPerCommit, simulateHour, simulateMonth } from './lake/simulate-month.ts';
import { BenchReport, progress } from './report/bench-report.ts';
import { loopbackEndpoint, numberAfter } from './report/bench-options.ts';

// One million rows in 2,020 small files, before and after compaction, against the same rows in one sorted file. Then a simulated month of
// commits without data.

const usage = './millrace bench lake [--rows N] [--days N] [--json]';
const fullRows = 1_000_000;
const fullFiles = 2020;
const days = 5;
const figures = new BenchReport();
/** Set where `./millrace up --trino` runs. */
const trinoUrl = process.env['TRINO_URL'];

function reportTimes(state: string, { ms }: ReportTimes, bound: ReportTimes | undefined): void {
  for (const [name, value] of ms) figures.add(`${name}, ${state}: p50`, value, 'ms');
  if (bound === undefined) return;
  figures.add(`five reports, ${state} / one sorted file`, totalOf(ms) / totalOf(bound.ms), 'ratio', { atMost: 1.2 });
}

function totalOf(ms: ReadonlyMap<string, number>): number {
  return [...ms.values()].reduce((sum, value) => sum + value, 0);
}

function reportCost(work: string, { seconds, cpuSeconds, peakRssMb, s3Requests, bytesWritten }: ProjectorCost, rows: number): void {
  figures.add(`${work}: duration`, seconds, 's');
  figures.add(`${work}: CPU per million rows`, (cpuSeconds * 1e6) / rows, 's');
  figures.add(`${work}: peak RSS of the projector`, peakRssMb, 'MB', { atMost: 512 });
  figures.add(`${work}: S3 requests`, s3Requests, 'requests');
  if (bytesWritten > 0) figures.add(`${work}: bytes written per million rows`, (bytesWritten * 1e6) / rows / 1e6, 'MB');
}

async function measureTable(rows: number, endpoint: string): Promise<void> {
  const lake = await BenchLake.open(endpoint);
  try {
    const batches = Math.max(16, Math.ceil((fullFiles / days) * Math.min(1, rows / fullRows)));
    const bytes = await lake.land({ rows, days, batches }, (batch) => {
      if (batch % 50 === 0) progress(`${batch} of ${batches} batches landed`);
    });
    const env = {
      LAKE_BUCKET: lake.bucket,
      LAKE_DATABASE: lake.database,
      PROJECTOR_INTERVAL_SECONDS: '0.5',
      PROJECTOR_COMPACTION_SECONDS: '0',
    };
    const rowsOf = async (): Promise<number> => (await lake.files()).reduce((sum, file) => sum + file.rows, 0);
    progress('the projector adds the files');
    const append = await runProjector(env, async () => (await rowsOf()) === rows, 600_000);
    const before = await lake.files();
    figures.add('before: files', before.length, 'files');
    figures.add('before: bytes', bytes / 1e6, 'MB');
    reportCost('append', append, rows);

    const urisOf = (keys: readonly { readonly key: string }[]): string[] => keys.map(({ key }) => `s3://${lake.bucket}/${key}`);
    progress('five reports before compaction');
    const slow = await timeReports(urisOf(before), endpoint, 3);
    reportTimes('before', slow, undefined);
    if (trinoUrl !== undefined) {
      progress('five reports on Trino before compaction');
      await lake.register([...new Set(before.map(({ partition }) => partition))]);
      const session = { url: trinoUrl, catalog: 'hive', schema: lake.database };
      reportTimes('Trino before', await timeTrinoReports(session, purchases.table, 3), undefined);
    }

    progress('the projector compacts the files');
    const compacting = { ...env, PROJECTOR_COMPACTION_SECONDS: '0.5' };
    const compaction = await runProjector(compacting, async () => (await lake.files()).length <= days, 600_000);
    const after = await lake.files();
    figures.add('after: files', after.length, 'files');
    figures.add('after: bytes', after.reduce((sum, file) => sum + file.bytes, 0) / 1e6, 'MB');
    reportCost('compaction', compaction, rows);

    progress('five reports after compaction, and over one sorted file');
    const bound = await timeReports([await lake.landSorted('declared')], endpoint, 7);
    const byDay = await timeReports([await lake.landSorted('by-day')], endpoint, 7);
    const fast = await timeReports(urisOf(after), endpoint, 7);
    reportTimes('one sorted file', bound, undefined);
    reportTimes('one file sorted by day', byDay, undefined);
    reportTimes('after', fast, bound);
    figures.add('five reports, after / one file sorted by day', totalOf(fast.ms) / totalOf(byDay.ms), 'ratio');
    if (trinoUrl !== undefined) {
      progress('five reports on Trino after compaction');
      const session = { url: trinoUrl, catalog: 'iceberg', schema: lake.database };
      reportTimes('Trino after', await timeTrinoReports(session, `${purchases.table}_iceberg`, 7), undefined);
    }
    figures.add('five reports, before / after', totalOf(slow.ms) / totalOf(fast.ms), 'ratio', { atLeast: 10 });
    for (const [name, answer] of fast.answers)
      if (answer !== slow.answers.get(name) || answer !== bound.answers.get(name)) throw new Error(`the answers of ${name} differ`);
  } finally {
    await lake.close();
  }
}

async function measureMonth(lastDay: number): Promise<void> {
  figures.add('S3 requests of an hour', await simulateHour(), 'requests');
  const reported = [...new Set([1, 10, 30].filter((day) => day < lastDay).concat(lastDay))];
  const states = await simulateMonth(reported, (day) => progress(`day ${day} of ${lastDay} simulated`));
  for (const { day, commits, files, commitMs, callsPerCommit, manifestBytes, metadataBytes, planningMs } of states) {
    figures.add(`day ${day}: commits`, commits, 'commits');
    figures.add(`day ${day}: files`, files, 'files');
    figures.add(`day ${day}: commit p50`, commitMs, 'ms');
    figures.add(`day ${day}: S3 calls of a commit p50`, callsPerCommit, 'calls');
    figures.add(`day ${day}: manifests`, manifestBytes / 1e3, 'kB');
    figures.add(`day ${day}: metadata`, metadataBytes / 1e3, 'kB');
    figures.add(`day ${day}: planning without a cache p50`, planningMs, 'ms');
  }
}

async function main(args: readonly string[]): Promise<void> {
  const endpoint = loopbackEndpoint();
  const rows = numberAfter(args, '--rows', fullRows, usage);
  const lastDay = numberAfter(args, '--days', 30, usage);
  await measureTable(rows, endpoint);
  await measureMonth(lastDay);
  const conditions = {
    node: process.version,
    processors: cpus().length,
    memoryGb: Math.round(totalmem() / 1e9),
    rows,
    reports: Object.keys(reports).join(', '),
    duckdb: 'bare, warm, 2 threads; reads the local S3 on the same processors',
    trino: trinoUrl === undefined ? 'does not run; start it by ./millrace up --trino' : 'the base by hive, the Iceberg table by iceberg',
    month: `8 lanes, a file each minute, a commit every ${minutesPerCommit} minutes; the projector's code over a store in memory, without data`,
  };
  figures.print('lake', conditions, args.includes('--json'));
}

await main(process.argv.slice(2));
