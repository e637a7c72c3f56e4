import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { purchases } from '@millrace/contracts';
import { TestTopic } from '@millrace/testing';
import { meets, type Figure } from './lake/figures.ts';
import { runChild } from './sink/child-run.ts';
import { loadTopic, type Manifest, type RawFiles } from './sink/load-topic.ts';
import { installNativeLoop, runNativeLoop } from './sink/native-loop.ts';
import { readBack } from './sink/read-back.ts';
import { runSink, type RunCost } from './sink/sink-run.ts';

// The sink over a topic that is full already, against a native loop without guarantees and against the bare encoder.

const usage = './millrace bench sink [--rows N] [--json]';
const figures: Figure[] = [];

function figure(name: string, value: number, unit: string, target?: Figure['target']): void {
  figures.push({ name, value: Math.round(value * 100) / 100, unit, ...(target === undefined ? {} : { target }) });
}

function rowsOf(args: readonly string[]): number {
  const at = args.indexOf('--rows');
  if (at < 0) return 1_000_000;
  const rows = Number(args[at + 1]);
  if (!Number.isInteger(rows) || rows < 1) throw new Error(`--rows must be a whole number from 1. Usage: ${usage}`);
  return rows;
}

function reportRun(name: string, { seconds, cpuSeconds, peakRssMb }: RunCost, rows: number): void {
  figure(`${name}: events a second`, rows / seconds, 'events/s');
  figure(`${name}: CPU per million events`, (cpuSeconds * 1e6) / rows, 's');
  figure(`${name}: peak RSS`, peakRssMb, 'MB', name === 'sink' ? { atMost: 512 } : undefined);
}

/** A topic full of purchases, and a bucket for each of the programs that read it. */
interface Loaded {
  readonly topic: TestTopic;
  readonly folder: string;
  readonly manifest: Manifest;
  readonly raw: RawFiles;
}

async function setUp(id: string): Promise<{ readonly bucket: string; readonly database: string }> {
  const place = { bucket: `bench-sink-${id}`, database: `bench_sink_${id}` };
  const script = join(import.meta.dirname, '..', '..', 'tools', 'stack', 'dist', 'set-up.js');
  await promisify(execFile)(process.execPath, [script], {
    env: { ...process.env, LAKE_BUCKET: place.bucket, LAKE_DATABASE: place.database },
  });
  return place;
}

async function measureSink({ topic, folder, manifest }: Loaded): Promise<RunCost> {
  const { bucket, database } = await setUp(randomUUID().slice(0, 8));
  const env = {
    SINK_TOPIC: topic.name,
    SINK_GROUP_ID: `bench-sink-${randomUUID()}`,
    SINK_SPOOL_DIR: join(folder, 'spool'),
    // The default of the sink; the local stack shortens it.
    SINK_FLUSH_SECONDS: String(purchases.buffering.flushSeconds),
    // The last batches land after SIGTERM, however busy the machine is.
    SINK_SHUTDOWN_SECONDS: '600',
    LAKE_BUCKET: bucket,
    LAKE_DATABASE: database,
  };
  progress('the sink runs');
  const cost = await runSink(topic, manifest.rows, env);
  progress('the result is read back');
  const { files, bytes } = await readBack(`s3://${bucket}/${purchases.table}`, manifest, folder);
  reportRun('sink', cost, manifest.rows);
  figure('sink: longest block of the event loop', cost.blockMs, 'ms', { atMost: 50 });
  figure('sink: files', files, 'files');
  figure('sink: bytes', bytes / 1e6, 'MB');
  figure('sink: raw JSON / Parquet', manifest.rawBytes / bytes, 'ratio');
  return cost;
}

async function measureNativeLoop({ topic, folder, manifest }: Loaded): Promise<RunCost> {
  progress('the packages of the native loop are installed');
  const python = await installNativeLoop();
  const { bucket } = await setUp(randomUUID().slice(0, 8));
  progress('the native loop runs');
  const place = { topic: topic.name, group: `bench-native-${randomUUID()}`, rows: manifest.rows, bucket, prefix: 'native' };
  const cost = await runNativeLoop(python, place);
  const { files, bytes } = await readBack(`s3://${bucket}/native`, manifest, folder);
  reportRun('native loop', cost, manifest.rows);
  figure('native loop: files', files, 'files');
  figure('native loop: bytes', bytes / 1e6, 'MB');
  return cost;
}

async function measureDuckDb({ raw }: Loaded): Promise<void> {
  progress('DuckDB runs alone');
  const cost = await runChild(process.execPath, [join(import.meta.dirname, 'sink', 'duckdb-alone.js'), ...raw.paths], {});
  reportRun('DuckDB alone', cost, raw.rows);
}

function progress(text: string): void {
  process.stderr.write(`  … ${text}\n`);
}

async function main(args: readonly string[]): Promise<void> {
  const endpoint = process.env['AWS_ENDPOINT_URL'] ?? '';
  if (!/^http:\/\/(127\.0\.0\.1|localhost)[:/]/.test(endpoint)) throw new Error(`the load goes to loopback only, not to ${endpoint}`);
  const rows = rowsOf(args);
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
  const topic = await TestTopic.create('bench-sink', { partitions: purchases.topic.partitions });
  let rawBytes: number;
  try {
    progress(`${rows} purchases are loaded`);
    const loaded = { topic, folder, ...(await loadTopic(topic.name, rows, folder)) };
    ({ rawBytes } = loaded.manifest);
    const sink = await measureSink(loaded);
    const native = await measureNativeLoop(loaded);
    await measureDuckDb(loaded);
    figure('sink / native loop: events a second', native.seconds / sink.seconds, 'ratio', { atLeast: 0.65 });
    figure('sink / native loop: CPU', sink.cpuSeconds / native.cpuSeconds, 'ratio');
  } finally {
    await topic.delete();
    await rm(folder, { recursive: true, force: true });
  }
  const conditions = {
    node: process.version,
    processors: cpus().length,
    memoryGb: Math.round(totalmem() / 1e9),
    rows,
    rawMb: Math.round(rawBytes / 1e6),
    events: 'seven headers; 5,000 books (Zipf 0.9), 200,000 users, event times over six hours; 8 partitions, uncompressed',
    sink: 'its own defaults, but SINK_SHUTDOWN_SECONDS=600; SIGTERM after the last record was taken',
    note: 'Kafka and the local S3 share the processors; their CPU is not counted',
  };
  if (args.includes('--json')) {
    console.log(JSON.stringify({ benchmark: 'sink', conditions, figures: figures.map((one) => ({ ...one, met: meets(one) })) }));
    return;
  }
  for (const [name, value] of Object.entries(conditions)) console.log(`${name}: ${value}`);
  console.log();
  for (const one of figures) {
    const met = meets(one);
    const goal = met === undefined ? '' : `  ${met ? 'meets' : 'misses'} ${Object.values(one.target!).join('')}`;
    console.log(`${one.name.padEnd(48)} ${one.value.toLocaleString('en').padStart(12)} ${one.unit}${goal}`);
  }
}

await main(process.argv.slice(2));
