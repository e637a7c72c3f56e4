import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { purchases } from '@millrace/contracts';
import { spawnService, TestTopic } from '@millrace/testing';
import { processCost } from './process/process-cost.ts';
import { progress, BenchReport } from './report/bench-report.ts';
import { loopbackEndpoint, numberAfter } from './report/bench-options.ts';
import { sumOf } from './report/figures.ts';
import { runChild } from './sink/child-run.ts';
import { installFlink, runFlink } from './sink/flink.ts';
import { loadTopic, type Manifest, type RawFiles } from './sink/load-topic.ts';
import { installNativeLoop, runNativeLoop } from './sink/native-loop.ts';
import { readBack } from './sink/read-back.ts';
import { runSink, type RunCost, type SinkCost } from './sink/sink-run.ts';

// The sink over a topic that is full already, against a native loop without guarantees, the bare encoder and, on demand, Flink. On demand
// too, the sink once more while a projector of the same table adds and merges its files without a pause.

const usage = './millrace bench sink [--rows N] [--rivals] [--projector] [--json]';
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

/** Bucket and database of one run. */
interface LakePlace {
  readonly bucket: string;
  readonly database: string;
}

async function setUp(id: string): Promise<LakePlace> {
  const place = { bucket: `bench-sink-${id}`, database: `bench_sink_${id}` };
  const script = join(import.meta.dirname, '..', '..', 'tools', 'stack', 'dist', 'set-up.js');
  await promisify(execFile)(process.execPath, [script], {
    env: { ...process.env, LAKE_BUCKET: place.bucket, LAKE_DATABASE: place.database },
  });
  return place;
}

/** Runs the sink into an empty lake. */
async function landBySink({ topic, folder, manifest }: Loaded, place: LakePlace): Promise<SinkCost> {
  return await runSink(topic, manifest.rows, {
    SINK_TOPIC: topic.name,
    SINK_GROUP_ID: `bench-sink-${randomUUID()}`,
    SINK_SPOOL_DIR: join(folder, 'spool'),
    // The default of the sink; the local stack shortens it.
    SINK_FLUSH_SECONDS: String(purchases.buffering.flushSeconds),
    // The last batches land after SIGTERM, however busy the machine is.
    SINK_SHUTDOWN_SECONDS: '600',
    LAKE_BUCKET: place.bucket,
    LAKE_DATABASE: place.database,
  });
}

async function measureSink(loaded: Loaded): Promise<RunCost> {
  const { folder, manifest } = loaded;
  const place = await setUp(randomUUID().slice(0, 8));
  progress('the sink runs');
  const cost = await landBySink(loaded, place);
  progress('the result is read back');
  const { files, bytes } = await readBack(`s3://${place.bucket}/${purchases.table}/**/*.parquet`, manifest, folder);
  reportRun('sink', cost, manifest.rows);
  figures.add('sink: longest block of the event loop', cost.blockMs, 'ms', { atMost: 50 });
  figures.add('sink: files', files, 'files');
  figures.add('sink: bytes', bytes / 1e6, 'MB');
  figures.add('sink: raw JSON / Parquet', manifest.rawBytes / bytes, 'ratio');
  return cost;
}

async function measureSinkBesideProjector(loaded: Loaded, alone: RunCost): Promise<void> {
  const { rows } = loaded.manifest;
  const { bucket, database } = await setUp(randomUUID().slice(0, 8));
  const projector = await spawnService('projector', {
    SINK_TOPIC: loaded.topic.name,
    LAKE_BUCKET: bucket,
    LAKE_DATABASE: database,
    PROJECTOR_INTERVAL_SECONDS: '0.5',
    PROJECTOR_COMPACTION_SECONDS: '0.5',
    // Two files of a day are merged at once, so that the projector has work during the whole run.
    PROJECTOR_COMPACTION_FILES_MIN: '2',
  });
  try {
    const before = await processCost(projector.pid);
    progress('the sink runs beside a projector');
    const cost = await landBySink(loaded, { bucket, database });
    const { cpuSeconds } = await processCost(projector.pid);
    const metrics = await (await fetch(`${projector.url}/metrics`)).text();
    const writtenBytes = sumOf(metrics, 'millrace_projector_compaction_written_bytes_total');
    if (writtenBytes === 0) throw new Error(`the projector merged nothing, so the figures say nothing of it:\n${projector.output}`);
    figures.add('beside a projector: events a second', rows / cost.seconds, 'events/s');
    figures.add('beside a projector: CPU of the sink per million events', (cost.cpuSeconds * 1e6) / rows, 's');
    figures.add('beside a projector: cores that the projector used', (cpuSeconds - before.cpuSeconds) / cost.seconds, 'cores');
    figures.add('beside a projector: bytes that it wrote', writtenBytes / 1e6, 'MB');
    figures.add('sink beside a projector / sink: events a second', alone.seconds / cost.seconds, 'ratio');
  } finally {
    await projector.kill();
  }
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
    if (args.includes('--projector')) await measureSinkBesideProjector(loaded, sink);
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
