import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { purchases } from '@millrace/contracts';
import { GlueCatalog, glueClient, s3Client, S3ObjectStore } from '@millrace/lake';
import { spawnService, type ServiceProcess } from '@millrace/testing';

// Runs the same statements in a warm DuckDB that reads S3 itself and through the API, over lakes of the same rows in increasingly many
// files.

const rows = Number(process.env['BENCH_ROWS'] ?? 1_000_000);
const fileCounts = (process.env['BENCH_FILES'] ?? '144,500,2000').split(',').map(Number);
const rounds = Number(process.env['BENCH_ROUNDS'] ?? 7);
const smallRounds = 50;
const parallel = [50, 200];
const day = '2026-01-01';
const dayStart = Date.parse(`${day}T00:00:00Z`) * 1000;
const report =
  'SELECT genre, count(*) AS purchases, count(DISTINCT user_id) AS buyers, round(avg(user_age), 1) AS average_age FROM purchases GROUP BY genre ORDER BY purchases DESC, genre';
const small = 'SELECT 42 AS answer';

interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly target?: number;
  readonly met?: boolean;
}

const figures: Figure[] = [];

function figure(name: string, value: number, unit: string, target?: number): void {
  const rounded = Math.round(value * 100) / 100;
  figures.push({
    name,
    value: rounded,
    unit,
    ...(target === undefined ? {} : { target, met: unit.endsWith('/s') ? rounded >= target : rounded <= target }),
  });
}

function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]!;
}

const endpoint = given('AWS_ENDPOINT_URL');
const access = { endpoint, region: process.env['AWS_REGION'] ?? 'us-east-1' };

function given(key: string): string {
  const value = process.env[key];
  if (value === undefined || value === '') throw new Error(`${key} is not set: run this through ./millrace bench query`);
  return value;
}

/** A separate lake with the rows in this number of files. */
async function openLake(count: number): Promise<{ readonly bucket: string; readonly database: string }> {
  const id = randomUUID().slice(0, 8);
  const [bucket, database] = [`bench-query-${id}`, `bench_query_${id}`];
  const setUp = join(import.meta.dirname, '..', '..', 'tools', 'stack', 'dist', 'set-up.js');
  await promisify(execFile)(process.execPath, [setUp], { env: { ...process.env, LAKE_BUCKET: bucket, LAKE_DATABASE: database } });
  const s3 = s3Client({}, access);
  const glue = glueClient({}, access);
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  try {
    const store = new S3ObjectStore(s3, bucket);
    const perFile = Math.ceil(rows / count);
    for (let n = 0; n < count; n += 1) {
      const [from, to] = [n * perFile, Math.min((n + 1) * perFile, rows)];
      const path = join(folder, 'file.parquet');
      await connection.run(`COPY (${rowsOf(from, to)}) TO '${path}' (FORMAT parquet, COMPRESSION zstd)`);
      await store.put(`${purchases.table}/${purchases.partitionKey}=${day}/p${n % 8}-${from}-${to}-bench.parquet`, await readFile(path));
      if (n % 100 === 0) progress(`${count} files: ${n} written`);
    }
    await new GlueCatalog(glue, purchases, bucket, undefined, database).register([day]);
  } finally {
    connection.closeSync();
    await rm(folder, { recursive: true, force: true });
    s3.destroy();
    glue.destroy();
  }
  return { bucket, database };
}

// Skewed genres and 200,000 buyers, reproducible by hash.
function rowsOf(from: number, to: number): string {
  const genres = ['Fiction', 'Crime', 'Science Fiction', 'Children', 'Adventure', 'Horror', 'Fantasy', 'Poetry'];
  return `SELECT uuid()::VARCHAR AS event_id, md5((i % 997)::VARCHAR) AS book_id, 'Title ' || (i % 997) AS title, 'Author ' || (i % 211) AS author,
    ([${genres.map((genre) => `'${genre}'`).join(', ')}])[1 + (hash(i) % 37 % 8)::INT] AS genre, 'user-' || (hash(i + 1) % 200000) AS user_id, 'GB' AS user_country,
    (hash(i + 2) % 80 + 10)::INT AS user_age, make_timestamp(${dayStart} + i * 50000) AS purchase_timestamp, (i % 8)::INT AS _partition, i::BIGINT AS _offset
    FROM range(${from}, ${to}) t(i)`;
}

/** A DuckDB that stays warm and reads S3 by itself, with the worker's number of threads. */
async function openDuckDb(bucket: string): Promise<DuckDBConnection> {
  const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
  const httpfs = process.env['QUERY_DUCKDB_HTTPFS'];
  await connection.run(httpfs === undefined ? 'INSTALL httpfs; LOAD httpfs' : `LOAD '${httpfs}'`);
  const { host, protocol } = new URL(endpoint);
  const key = [process.env['AWS_ACCESS_KEY_ID'] ?? 'bench', process.env['AWS_SECRET_ACCESS_KEY'] ?? 'bench'];
  await connection.run(
    `CREATE SECRET (TYPE s3, KEY_ID '${key[0]}', SECRET '${key[1]}', REGION '${access.region}', ENDPOINT '${host}', URL_STYLE 'path', USE_SSL ${protocol === 'https:'})`,
  );
  await connection.run(
    `CREATE VIEW ${purchases.table} AS FROM read_parquet('s3://${bucket}/${purchases.table}/${purchases.partitionKey}=*/*.parquet', hive_partitioning = true)`,
  );
  return connection;
}

interface Answer {
  readonly state: string;
  readonly results?: { readonly rows: unknown[][] };
}

async function ask(url: string, sql: string): Promise<unknown[][]> {
  const response = await fetch(`${url}/v1/queries`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', prefer: 'wait=60' },
    body: JSON.stringify({ sql, engine: 'duckdb', timeoutMs: 120_000, cache: false }),
  });
  const body = (await response.json()) as Answer;
  if (body.state !== 'succeeded' || body.results === undefined)
    throw new Error(`a query was answered ${response.status}: ${JSON.stringify(body).slice(0, 500)}`);
  return body.results.rows;
}

async function timed<T>(run: () => Promise<T>): Promise<{ readonly ms: number; readonly value: T }> {
  const start = performance.now();
  const value = await run();
  return { ms: performance.now() - start, value };
}

/** Runs both sides in turn, so that noise of the machine hits both. */
async function compare(
  name: string,
  sql: string,
  count: number,
  { duckdb, url }: { duckdb: DuckDBConnection; url: string },
): Promise<{ bare: number[]; api: number[] }> {
  const bare: number[] = [];
  const api: number[] = [];
  for (let round = -1; round < count; round += 1) {
    const ours = await timed(async () => await ask(url, sql));
    const theirs = await timed(async () => (await duckdb.runAndReadAll(sql)).getRowsJson());
    if (JSON.stringify(ours.value.length) !== JSON.stringify(theirs.value.length)) throw new Error(`${name}: the answers differ`);
    // The first round warms both.
    if (round < 0) {
      figure(`${name}: first answer, API`, ours.ms, 'ms');
      figure(`${name}: first answer, DuckDB`, theirs.ms, 'ms');
      continue;
    }
    api.push(ours.ms);
    bare.push(theirs.ms);
  }
  figure(`${name}: warm DuckDB p50`, quantile(bare, 0.5), 'ms');
  figure(`${name}: API p50`, quantile(api, 0.5), 'ms');
  return { bare, api };
}

async function measure(count: number): Promise<void> {
  const lake = await openLake(count);
  const env = { LAKE_BUCKET: lake.bucket, LAKE_DATABASE: lake.database, QUERY_QUEUE_NAME: lake.database };
  const started: ServiceProcess[] = [];
  try {
    started.push(...(await Promise.all([spawnService('query-api', env), spawnService('query-worker', env)])));
    const { url } = started[0]!;
    const duckdb = await openDuckDb(lake.bucket);
    progress(`${count} files: the report, ${rounds} rounds`);
    const { bare, api } = await compare(`${count} files`, report, rounds, { duckdb, url });
    figure(`${count} files: API / warm DuckDB`, quantile(api, 0.5) / quantile(bare, 0.5), 'ratio', 1.3);
    if (count !== fileCounts[0]) return;
    progress(`SELECT 42, ${smallRounds} rounds`);
    const tiny = await compare('SELECT 42', small, smallRounds, { duckdb, url });
    figure('SELECT 42: API over warm DuckDB, p50', quantile(tiny.api, 0.5) - quantile(tiny.bare, 0.5), 'ms', 20);
    for (const statements of parallel) {
      progress(`${statements} reports at once`);
      const all = await timed(async () => await Promise.all(Array.from({ length: statements }, async () => await ask(url, report))));
      figure(`${statements} at once`, statements / (all.ms / 1000), 'statements/s', statements === 50 ? 4.4 : undefined);
    }
  } finally {
    await Promise.all(started.map(async (service) => await service.kill('SIGTERM')));
  }
}

function progress(text: string): void {
  process.stderr.write(`  … ${text}\n`);
}

async function main(asJson: boolean): Promise<void> {
  if (!/^http:\/\/(127\.0\.0\.1|localhost)[:/]/.test(endpoint)) throw new Error(`the load goes to loopback only, not to ${endpoint}`);
  for (const count of fileCounts) await measure(count);
  const conditions = {
    node: process.version,
    processors: cpus().length,
    rows,
    rounds,
    statement: report,
    note: 'API, worker, Redis, the local S3 and the bare DuckDB on the same processors, in turn; 1 thread in each DuckDB',
  };
  if (asJson) {
    console.log(JSON.stringify({ benchmark: 'query', conditions, figures }));
    return;
  }
  for (const [name, value] of Object.entries(conditions)) console.log(`${name}: ${value}`);
  console.log();
  for (const { name, value, unit, target, met } of figures) {
    const goal = target === undefined ? '' : `  ${met ? 'meets' : 'misses'} ${target}`;
    console.log(`${name.padEnd(40)} ${value.toLocaleString('en').padStart(10)} ${unit}${goal}`);
  }
}

await main(process.argv.includes('--json'));
