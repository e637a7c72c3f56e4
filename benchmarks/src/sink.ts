import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { purchases } from '@millrace/contracts';
import { TestTopic } from '@millrace/testing';
import { progress, BenchReport } from './report/bench-report.ts';
import { loopbackEndpoint, numberAfter } from './report/bench-options.ts';
import { runChild } from './sink/child-run.ts';
import { installFlink, runFlink } from './sink/flink.ts';
import { loadTopic, type Manifest, type RawFiles } from './sink/load-topic.ts';
import { installNativeLoop, runNativeLoop } from './sink/native-loop.ts';
import { readBack } from './sink/read-back.ts';
import { runSink, type RunCost } from './sink/sink-run.ts';

// The sink over a topic that is full already, against a native loop without guarantees, the bare encoder and, on demand, Flink.

const usage = './millrace bench sink [--rows N] [--rivals] [--json]';
const figures = new BenchReport();

function reportRun(name: string, { seconds, cpuSeconds, peakRssMb }: RunCost, rows: number): void {
  figures.add(`${name}: events a second`, rows / seconds, 'events/s');
  figures.add(`${name}: CPU per million events`, (cpuSeconds * 1e6) / rows, 's');
  figures.add(`${name}: peak RSS`, peakRssMb, 'MB', name === 'sink' ? { atMost: 512 } : undefined);
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
  const { files, bytes } = await readBack(`s3://${bucket}/${purchases.table}/**/*.parquet`, manifest, folder);
  reportRun('sink', cost, manifest.rows);
  figures.add('sink: longest block of the event loop', cost.blockMs, 'ms', { atMost: 50 });
  figures.add('sink: files', files, 'files');
  figures.add('sink: bytes', bytes / 1e6, 'MB');
  figures.add('sink: raw JSON / Parquet', manifest.rawBytes / bytes, 'ratio');
  return cost;
}

async function measureNativeLoop({ topic, folder, manifest }: Loaded): Promise<RunCost> {
  progress('the packages of the native loop are installed');
  const python = await installNativeLoop();
  const { bucket } = await setUp(randomUUID().slice(0, 8));
  progress('the native loop runs');
  const place = { topic: topic.name, group: `bench-native-${randomUUID()}`, rows: manifest.rows, bucket, prefix: 'native' };
  const cost = await runNativeLoop(python, place);
  const { files, bytes } = await readBack(`s3://${bucket}/native/**/*.parquet`, manifest, folder);
  reportRun('native loop', cost, manifest.rows);
  figures.add('native loop: files', files, 'files');
  figures.add('native loop: bytes', bytes / 1e6, 'MB');
  return cost;
}

async function measureFlink({ topic, folder, manifest }: Loaded): Promise<RunCost> {
  progress('Flink is installed');
  const home = await installFlink();
  const { bucket } = await setUp(randomUUID().slice(0, 8));
  progress('Flink runs');
  const cost = await runFlink(home, { topic: topic.name, group: `bench-flink-${randomUUID()}`, bucket, prefix: 'flink', work: folder });
  progress('the result is read back');
  // Flink's files have no extension.
  const { files, bytes } = await readBack(`s3://${bucket}/flink/**/part-*`, manifest, folder);
  reportRun('Flink', cost, manifest.rows);
  figures.add('Flink: files', files, 'files');
  figures.add('Flink: bytes', bytes / 1e6, 'MB');
  return cost;
}

async function measureDuckDb({ raw }: Loaded): Promise<void> {
  progress('DuckDB runs alone');
  const cost = await runChild(process.execPath, [join(import.meta.dirname, 'sink', 'duckdb-alone.js'), ...raw.paths], {});
  reportRun('DuckDB alone', cost, raw.rows);
}

async function main(args: readonly string[]): Promise<void> {
  loopbackEndpoint();
  const rows = numberAfter(args, '--rows', 1_000_000, usage);
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
    const flink = args.includes('--rivals') ? await measureFlink(loaded) : undefined;
    figures.add('sink / native loop: events a second', native.seconds / sink.seconds, 'ratio', { atLeast: 0.65 });
    figures.add('sink / native loop: CPU', sink.cpuSeconds / native.cpuSeconds, 'ratio');
    if (flink !== undefined) {
      figures.add('sink / Flink: events a second', flink.seconds / sink.seconds, 'ratio', { atLeast: 1.2 });
      figures.add('sink / Flink: CPU', sink.cpuSeconds / flink.cpuSeconds, 'ratio', { atMost: 0.6 });
    }
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
  figures.print('sink', conditions, args.includes('--json'));
}

await main(process.argv.slice(2));
