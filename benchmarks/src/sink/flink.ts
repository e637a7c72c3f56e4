import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { purchases, type ColumnType } from '@millrace/contracts';
import { pythonEnvironment } from '@millrace/testing';
import { runChild } from './child-run.ts';
import type { RunCost } from './sink-run.ts';

const folder = join(import.meta.dirname, '..', '..', 'flink');

/** Folders of an installed Flink. */
export interface FlinkHome {
  /** The jars of the distribution. */
  readonly distribution: string;
  /** The connectors for Kafka and Parquet. */
  readonly connectors: string;
  /** One folder of jars for each plugin. */
  readonly plugins: string;
}

/** Where Flink reads and writes. */
export interface FlinkPlace {
  readonly topic: string;
  readonly group: string;
  readonly bucket: string;
  /** Folder of the data files in the bucket. */
  readonly prefix: string;
  /** Folder for settings and temporary files. */
  readonly work: string;
}

// Flink reflects on classes of the JDK.
const openedPackages = [
  'java.lang',
  'java.lang.invoke',
  'java.lang.reflect',
  'java.net',
  'java.io',
  'java.nio',
  'java.text',
  'java.time',
  'java.util',
  'java.util.concurrent',
  'java.util.concurrent.atomic',
  'java.util.concurrent.locks',
  'sun.nio.ch',
];

/** Fetches Flink from PyPI and its connectors from Maven, each once for each list of packages. */
export async function installFlink(): Promise<FlinkHome> {
  const python = await pythonEnvironment('flink-venv', 'benchmarks/flink/requirements.txt');
  const environment = dirname(dirname(python));
  const version = readdirSync(join(environment, 'lib'))[0]!;
  return {
    distribution: join(environment, 'lib', version, 'site-packages', 'pyflink', 'lib'),
    connectors: await fetchJars('pom.xml', join(environment, '..', 'flink-connectors')),
    plugins: dirname(await fetchJars('plugin-pom.xml', join(environment, '..', 'flink-plugins', 's3'))),
  };
}

async function fetchJars(pom: string, target: string): Promise<string> {
  const path = join(folder, pom);
  // Kept outside the folder: Flink loads every file of a plugin's folder.
  const stamp = `${target}.stamp`;
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === readFileSync(path, 'utf8')) return target;
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  const args = ['-q', '-B', '-f', path, 'dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${target}`];
  await promisify(execFile)('mvn', args, { maxBuffer: 64 * 1024 * 1024 });
  cpSync(path, stamp);
  return target;
}

/**
 * Runs Flink SQL from the first to the last record of the topic, in one process with a task on each of two threads. Checkpoints make the
 * result exactly once. The result has the columns of the table.
 */
export async function runFlink(home: FlinkHome, place: FlinkPlace): Promise<RunCost> {
  const settings = join(place.work, 'flink');
  mkdirSync(join(settings, 'tmp'), { recursive: true });
  writeFileSync(join(settings, 'config.yaml'), configOf(place, settings));
  writeFileSync(join(settings, 'job.sql'), jobOf(place));
  writeFileSync(
    join(settings, 'log4j2.properties'),
    ['rootLogger.level=ERROR', 'rootLogger.appenderRef.err.ref=err', 'appender.err.type=Console', 'appender.err.name=err']
      .concat('appender.err.target=SYSTEM_ERR', '')
      .join('\n'),
  );
  const args = [
    '-Xmx2g',
    '-XX:MaxDirectMemorySize=1g',
    ...openedPackages.map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`),
    `-Dlog4j2.configurationFile=${join(settings, 'log4j2.properties')}`,
    '-cp',
    [home.distribution, home.connectors].map((jars) => join(jars, '*')).join(':'),
    join(folder, 'FlinkJob.java'),
    settings,
    join(settings, 'job.sql'),
  ];
  return await runChild('java', args, { FLINK_PLUGINS_DIR: home.plugins });
}

function configOf({ bucket, prefix }: FlinkPlace, settings: string): string {
  const {
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: region = 'us-east-1',
    AWS_ACCESS_KEY_ID: id,
    AWS_SECRET_ACCESS_KEY: secret,
  } = process.env;
  const options = {
    'parallelism.default': '2',
    'execution.checkpointing.interval': '10s',
    'execution.checkpointing.dir': `s3://${bucket}/${prefix}-checkpoints`,
    'io.tmp.dirs': join(settings, 'tmp'),
    'rest.bind-port': '0',
    'rest.bind-address': '127.0.0.1',
    'taskmanager.memory.managed.size': '64m',
    's3.endpoint': endpoint,
    's3.endpoint.region': region,
    's3.path.style.access': 'true',
    's3.access-key': id,
    's3.secret-key': secret,
    's3.directory.marker.retention': 'keep',
  };
  return Object.entries(options)
    .map(([key, value]) => `${key}: ${value}\n`)
    .join('');
}

const sqlTypes: Readonly<Partial<Record<ColumnType, string>>> = { string: 'STRING', int: 'INT', timestamp: 'BIGINT' };

function jobOf({ topic, group, bucket, prefix }: FlinkPlace): string {
  const { columns, partitionKey } = purchases;
  const time = columns.find(({ type }) => type === 'timestamp')!;
  const fields = columns.map(({ field, type }) => `${field} ${sqlTypes[type]!}`);
  const stored = columns.map(({ name, type }) => `${name} ${type === 'timestamp' ? 'TIMESTAMP(3)' : sqlTypes[type]!}`);
  const instant = `TO_TIMESTAMP_LTZ(${time.field}, 0)`;
  const values = columns.map(({ field }) => (field === time.field ? `CAST(${instant} AS TIMESTAMP(3))` : field));
  const source = {
    connector: 'kafka',
    topic,
    'properties.bootstrap.servers': process.env['KAFKA_BROKERS']!,
    'properties.group.id': group,
    'scan.startup.mode': 'earliest-offset',
    'scan.bounded.mode': 'latest-offset',
    format: 'json',
  };
  const target = {
    connector: 'filesystem',
    path: `s3://${bucket}/${prefix}`,
    format: 'parquet',
    'parquet.compression': 'ZSTD',
    'sink.rolling-policy.file-size': '128MB',
    'sink.rolling-policy.rollover-interval': '30 min',
  };
  return [
    `CREATE TABLE source (${fields.join(', ')}) WITH (${textOf(source)});`,
    `CREATE TABLE target (${stored.join(', ')}, ${partitionKey} STRING) PARTITIONED BY (${partitionKey}) WITH (${textOf(target)});`,
    `INSERT INTO target SELECT ${values.join(', ')}, DATE_FORMAT(${instant}, 'yyyy-MM-dd') FROM source;`,
    '',
  ].join('\n');
}

function textOf(options: Readonly<Record<string, string>>): string {
  return Object.entries(options)
    .map(([key, value]) => `'${key}' = '${value}'`)
    .join(', ');
}
