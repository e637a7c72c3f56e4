import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { spawnService, type ServiceProcess } from '@millrace/testing';
import type { DuckDBConnection } from '@duckdb/node-api';
import { exportResult, makeLargeResult } from './query/export-result.ts';
import { submitAtRate } from './query/open-loop.ts';
import { ask, quantile, submit, timed } from './query/query-calls.ts';
import { openQueryLake } from './query/query-lake.ts';
import { openWarmDuckDb } from './query/warm-duckdb.ts';
import { BenchReport, progress } from './report/bench-report.ts';
import { loopbackEndpoint, wholeNumber } from './report/bench-options.ts';

// Runs the same statements in a warm DuckDB that reads S3 itself, and through the API. The lakes hold the same rows in more and more files.
// Then many statements at once, kept results, submissions at a fixed rate, and a large export.

const usage = './millrace bench query [--rows N] [--files N,N] [--rounds N] [--export-rows N] [--seconds N] [--json]';
const { values: options } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    files: { type: 'string', default: '144,500,2000' },
    rounds: { type: 'string', default: '7' },
    'export-rows': { type: 'string', default: '10000000' },
    seconds: { type: 'string', default: '20' },
    json: { type: 'boolean', default: false },
  },
});
const rows = wholeNumber('--rows', options.rows, usage);
const fileCounts = options.files.split(',').map((count) => wholeNumber('--files', count, usage));
const rounds = wholeNumber('--rounds', options.rounds, usage);
const exportRows = wholeNumber('--export-rows', options['export-rows'], usage);
const seconds = wholeNumber('--seconds', options.seconds, usage);
const smallRounds = 50;
const cacheRounds = 500;
const submissionsPerSecond = 200;
const parallel = [50, 200];
const report =
  'SELECT genre, count(*) AS purchases, count(DISTINCT user_id) AS buyers, round(avg(user_age), 1) AS average_age FROM purchases GROUP BY genre ORDER BY purchases DESC, genre';
const small = 'SELECT 42 AS answer';
const exports = ['text/csv', 'application/x-ndjson', 'application/vnd.apache.parquet', 'application/vnd.apache.arrow.stream'];
const figures = new BenchReport(64);

/** Runs both sides in turn, so that noise of the machine hits both. */
async function compare(
  name: string,
  sql: string,
  count: number,
  { duckdb, url }: { readonly duckdb: DuckDBConnection; readonly url: string },
): Promise<{ readonly bare: number[]; readonly api: number[] }> {
  const bare: number[] = [];
  const api: number[] = [];
  for (let round = -1; round < count; round += 1) {
    const ours = await timed(async () => await ask(url, { sql }));
    const theirs = await timed(async () => (await duckdb.runAndReadAll(sql)).getRowsJson());
    if (ours.value.length !== theirs.value.length) throw new Error(`${name}: the answers differ`);
    // The first round warms both.
    if (round < 0) {
      figures.add(`${name}: first answer, API`, ours.ms, 'ms');
      figures.add(`${name}: first answer, DuckDB`, theirs.ms, 'ms');
      continue;
    }
    api.push(ours.ms);
    bare.push(theirs.ms);
  }
  figures.add(`${name}: warm DuckDB p50`, quantile(bare, 0.5), 'ms');
  figures.add(`${name}: API p50`, quantile(api, 0.5), 'ms');
  return { bare, api };
}

/** The report over a lake of this many files. Over the first lake, everything else is measured, too. */
async function measure(count: number, endpoint: string): Promise<void> {
  const lake = await openQueryLake(endpoint, rows, count, progress);
  const env = {
    LAKE_BUCKET: lake.bucket,
    LAKE_DATABASE: lake.database,
    QUERY_QUEUE_NAME: lake.database,
    QUERY_QUEUE_JOBS_MAX: '100000',
    QUERY_RESULT_ROWS_MAX: '100000000',
    QUERY_RESULT_MB_MAX: '16384',
  };
  const started: ServiceProcess[] = [];
  try {
    started.push(...(await Promise.all([spawnService('query-api', env), spawnService('query-worker', env)])));
    const [api, worker] = started as [ServiceProcess, ServiceProcess];
    const duckdb = await openWarmDuckDb(endpoint, lake.bucket);
    progress(`${count} files: the report, ${rounds} rounds`);
    const sides = { duckdb, url: api.url };
    const { bare, api: ours } = await compare(`${count} files`, report, rounds, sides);
    figures.add(`${count} files: API / warm DuckDB`, quantile(ours, 0.5) / quantile(bare, 0.5), 'ratio', { atMost: 1.3 });
    if (count === fileCounts[0]) await measureRest(api, worker, sides);
  } finally {
    await Promise.all(started.map(async (service) => await service.kill('SIGTERM')));
    await lake.close();
  }
}

async function measureRest(
  api: ServiceProcess,
  worker: ServiceProcess,
  sides: { readonly duckdb: DuckDBConnection; readonly url: string },
): Promise<void> {
  const { url } = sides;
  progress(`SELECT 42, ${smallRounds} rounds`);
  const tiny = await compare('SELECT 42', small, smallRounds, sides);
  figures.add('SELECT 42: API over warm DuckDB, p50', quantile(tiny.api, 0.5) - quantile(tiny.bare, 0.5), 'ms', { atMost: 20 });

  for (const statements of parallel) {
    progress(`${statements} reports at once`);
    const all = await timed(async () => await Promise.all(Array.from({ length: statements }, async () => await ask(url, { sql: report }))));
    // Before warm sandboxes, 50 at once were 1.1 a second.
    figures.add(`${statements} at once`, statements / (all.ms / 1000), 'statements/s', statements === 50 ? { atLeast: 4.4 } : undefined);
  }

  progress(`a kept result, ${cacheRounds} rounds`);
  const kept = { sql: report, cache: true };
  await ask(url, kept);
  const hits: number[] = [];
  for (let round = 0; round < cacheRounds; round += 1) {
    const { ms, value } = await timed(async () => await submit(url, kept, 60));
    // A service that sheds load gives no result, so its answer does not count as a hit.
    if (value.status >= 503) continue;
    if (value.xCache !== 'hit') throw new Error(`a repeated statement was answered by ${value.xCache}`);
    hits.push(ms);
  }
  figures.add('cache hit: p50', quantile(hits, 0.5), 'ms');
  figures.add('cache hit: p99', quantile(hits, 0.99), 'ms', { atMost: 15 });

  progress(`a result of ${exportRows} rows`);
  const large = await makeLargeResult(api, worker, exportRows);
  figures.add('large result: duration', large.seconds, 's');
  figures.add('large result: peak RSS of the worker', large.workerRssMb, 'MB');
  for (const accept of exports) {
    progress(`export as ${accept}`);
    const { seconds: took, bytes, apiRssMb } = await exportResult(api, large.id, accept);
    figures.add(`export ${accept}: rate`, exportRows / took, 'rows/s');
    figures.add(`export ${accept}: size`, bytes / 1e6, 'MB');
    figures.add(`export ${accept}: peak RSS of the API`, apiRssMb, 'MB', { atMost: 256 });
  }

  // Last, because its statements stay in the queue.
  progress(`${submissionsPerSecond} submissions a second for ${seconds} s`);
  const loop = await submitAtRate(url, submissionsPerSecond, seconds);
  figures.add(`submit at ${submissionsPerSecond}/s: p50`, quantile(loop.ms, 0.5), 'ms');
  figures.add(`submit at ${submissionsPerSecond}/s: p99`, quantile(loop.ms, 0.99), 'ms', { atMost: 50 });
  figures.add(`submit at ${submissionsPerSecond}/s: refused`, loop.refused, 'statements', { atMost: 0 });
}

async function main(): Promise<void> {
  const endpoint = loopbackEndpoint();
  for (const count of fileCounts) await measure(count, endpoint);
  const conditions = {
    node: process.version,
    processors: cpus().length,
    rows,
    rounds,
    statement: report,
    note: 'load, API, worker, Redis, the local S3 and the bare DuckDB on the same processors; 1 thread in each DuckDB',
  };
  figures.print('query', conditions, options.json);
}

await main();
