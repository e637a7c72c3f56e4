import { listStreams, purchases, type Stream } from '@millrace/contracts';
import { kafkaPrefixes, kafkaProblems, kafkaSettings } from '@millrace/kafka/access';
import { lakePrefix, lakeSettings } from '@millrace/lake/settings';
import {
  attemptsSetting,
  authPrefix,
  authSettings,
  ConfigError,
  drainPrefix,
  drainSettings,
  logSettings,
  pipelineProblems,
  pipelineSettings,
  readConfig,
} from '@millrace/runtime';
import { Type, type Static } from 'typebox';
import { sinkPipelines, sinkSpecs } from './resilience.ts';

const megabyte = 1024 * 1024;

/** Every setting; docs/settings.md is checked against it. */
export const sinkConfigSchema = Type.Object({
  SINK_HOST: Type.String({ default: '127.0.0.1', minLength: 1, description: 'Address to listen on' }),
  SINK_PORT: Type.Integer({ default: 3002, minimum: 0, maximum: 65_535, description: 'Port of health and metrics' }),
  SINK_STREAMS: Type.Optional(
    Type.Array(Type.String({ minLength: 1 }), {
      minItems: 1,
      description: 'Streams that this process serves; default: every declared stream',
    }),
  ),
  SINK_GROUP_ID: Type.String({
    default: 'millrace-sink',
    minLength: 1,
    maxLength: 180,
    description:
      'Kafka consumer group of the stream purchases; the group of another stream is this name, a hyphen and the name of the stream',
  }),
  SINK_TOPIC: Type.String({ default: purchases.topic.name, minLength: 1, maxLength: 249, description: 'Topic of the stream purchases' }),
  SINK_TABLE: Type.String({
    default: purchases.table,
    pattern: '^[a-z][a-z0-9_]{0,127}$',
    description: 'Table of the stream purchases: its prefix in the bucket and, unless SINK_CATALOG_TABLE is set, its name in Glue',
  }),
  SINK_CATALOG_TABLE: Type.Optional(
    Type.String({
      pattern: '^[a-z][a-z0-9_]{0,127}$',
      description: 'Name of the table in Glue if it differs from SINK_TABLE, for example after a switch to a replay; default SINK_TABLE',
    }),
  ),
  SINK_FLUSH_BYTES: Type.Optional(
    Type.Integer({
      minimum: 1024,
      maximum: 1024 * megabyte,
      description: 'Raw bytes at which a batch is sealed; default: the hint of the stream, 67,108,864 for purchases',
    }),
  ),
  SINK_FLUSH_SECONDS: Type.Optional(
    Type.Number({
      minimum: 0.1,
      maximum: 3600,
      description: 'Age in seconds at which a batch is sealed; default: the hint of the stream, 60 for purchases',
    }),
  ),
  SINK_SPOOL_DIR: Type.Optional(Type.String({ minLength: 1, description: 'Directory of the spool; default MILLRACE_HOME/spool' })),
  SINK_SPOOL_BYTES_MAX: Type.Integer({
    default: 4096 * megabyte,
    minimum: megabyte,
    maximum: Number.MAX_SAFE_INTEGER,
    description:
      'Maximum bytes in the spool of one stream; at this limit the partitions pause. From 80 % of it, open batches of at least 1 % of it are sealed; below 80 %, paused partitions resume',
  }),
  SINK_OPEN_SEGMENTS_MAX: Type.Integer({
    default: 1000,
    minimum: 1,
    maximum: 100_000,
    description: 'Maximum open segments (one per lane and day) over all lanes; above it the largest open batch is sealed',
  }),
  SINK_KAFKA_METADATA_MS: Type.Integer({
    default: 15_000,
    minimum: 100,
    maximum: 3_600_000,
    description: 'Interval at which the sink looks for new partitions of its topics, in milliseconds',
  }),
  SINK_DEDUP_OFFSETS: Type.Integer({
    default: 131_072,
    minimum: 0,
    maximum: 16_777_216,
    description: 'Deduplication window of a lane in offsets: an event id that repeats within it is dropped; 0 disables deduplication',
  }),
  SINK_ENCODER_MEMORY_MB: Type.Integer({
    default: 256,
    minimum: 128,
    maximum: 65_536,
    description: 'Memory of the Parquet encoder in megabytes',
  }),
  SINK_ENCODER_THREADS: Type.Integer({ default: 1, minimum: 1, maximum: 64, description: 'Threads of the Parquet encoder' }),
  SINK_ENCODER_SPILL_MB_MAX: Type.Integer({
    default: 1024,
    minimum: 64,
    maximum: 1_048_576,
    description: 'Maximum disk space in megabytes, beside the spool, for data that does not fit into the memory of the Parquet encoder',
  }),
  ...pipelineSettings('SINK', sinkPipelines),
  ...attemptsSetting('SINK'),
  SINK_RETRY_BASE_MS: Type.Integer({
    default: 200,
    minimum: 1,
    maximum: 60_000,
    description: 'Initial back-off of a failed step in milliseconds',
  }),
  SINK_RETRY_WAIT_MS_MAX: Type.Integer({
    default: 10_000,
    minimum: 1,
    maximum: 600_000,
    description: 'Maximum back-off of a failed step in milliseconds',
  }),
  SINK_RECONCILE_SECONDS: Type.Integer({
    default: 300,
    minimum: 1,
    maximum: 86_400,
    description: 'Interval in seconds at which the sink compares the catalog with the table',
  }),
  SINK_AUDIT_SECONDS: Type.Integer({
    default: 900,
    minimum: 0,
    maximum: 86_400,
    description: 'Interval in seconds at which the sink audits the table for the metrics; 0 disables these audits',
  }),
  SINK_AUDIT_RUN_SECONDS_MAX: Type.Integer({
    default: 300,
    minimum: 1,
    maximum: 86_400,
    description: 'Maximum duration of one audit in seconds',
  }),
  PROJECTOR_PORT: Type.Integer({
    default: 3005,
    minimum: 0,
    maximum: 65_535,
    description: "Port of the projector's health and metrics",
  }),
  PROJECTOR_INTERVAL_SECONDS: Type.Number({
    default: 10,
    minimum: 0.1,
    maximum: 3600,
    description: 'Interval in seconds at which the projector looks for landed batches and commits them to the Iceberg table',
  }),
  PROJECTOR_COMPACTION_SECONDS: Type.Number({
    default: 60,
    minimum: 0,
    maximum: 86_400,
    description: 'Interval in seconds at which the projector looks for small files to merge; 0 disables compaction',
  }),
  PROJECTOR_COMPACTION_FILES_MIN: Type.Integer({
    default: 16,
    minimum: 2,
    maximum: 1000,
    description: 'Files of one day and of one number of rewrites from which they are merged into one file',
  }),
  PROJECTOR_COMPACTION_TARGET_BYTES: Type.Integer({
    default: 256 * megabyte,
    minimum: 1024,
    maximum: 1024 * megabyte,
    description:
      'Bytes of files that one merge reads, which is about the size of the largest files; a file of half of it or more is never merged again',
  }),
  PROJECTOR_COMPACTION_MEMORY_MB: Type.Integer({
    default: 192,
    minimum: 128,
    maximum: 65_536,
    description: 'Memory of a merge in megabytes; above it the merge uses the disk',
  }),
  PROJECTOR_COMPACTION_SPILL_MB_MAX: Type.Integer({
    default: 8192,
    minimum: 64,
    maximum: 1_048_576,
    description: 'Maximum disk space in megabytes, in MILLRACE_HOME/projector, for the rows of a merge that do not fit into its memory',
  }),
  PROJECTOR_SNAPSHOT_SECONDS: Type.Integer({
    default: 3600,
    minimum: 1,
    maximum: 31_536_000,
    description: 'Time in seconds for which a replaced snapshot of the Iceberg table stays listed, of at most 100',
  }),
  PROJECTOR_GRACE_SECONDS: Type.Integer({
    default: 7200,
    minimum: 1,
    maximum: 31_536_000,
    description:
      'Time in seconds after which an object of the Iceberg table that no listed snapshot uses is deleted; it must be longer than the longest query',
  }),
  PROJECTOR_SWEEP_SECONDS: Type.Number({
    default: 600,
    minimum: 0.1,
    maximum: 86_400,
    description: 'Interval in seconds at which the projector looks for objects to delete',
  }),
  SINK_SHUTDOWN_SECONDS: Type.Integer({
    default: 20,
    minimum: 1,
    maximum: 3600,
    description: 'Maximum time in seconds in which a shutdown lands the records already taken',
  }),
  ...kafkaSettings,
  LAKE_BUCKET: Type.String({ default: 'millrace-lake', minLength: 3, maxLength: 63, description: 'Bucket of the lake' }),
  ...lakeSettings,
  LAKE_DATABASE: Type.String({ default: purchases.database, minLength: 1, maxLength: 255, description: 'Glue database of the table' }),
  MILLRACE_HOME: Type.String({ default: '.millrace', minLength: 1, description: 'Directory of local state' }),
  ...authSettings,
  ...drainSettings,
  ...logSettings,
});

/** Settings of the sink, named as in the environment. */
export type SinkConfig = Static<typeof sinkConfigSchema>;

/**
 * Reads the settings.
 *
 * @throws ConfigError naming every problem at once
 */
export function readSinkConfig(env: Readonly<Record<string, string | undefined>> = process.env): SinkConfig {
  return readConfig(sinkConfigSchema, {
    prefixes: ['SINK_', 'PROJECTOR_', ...kafkaPrefixes, lakePrefix, authPrefix, drainPrefix],
    env,
    check: (config) => [...kafkaProblems(config), ...pipelineProblems(sinkSpecs(config))],
  });
}

/**
 * The streams as this process reads them, with the names of the settings.
 *
 * @throws ConfigError when SINK_STREAMS names a stream that is not declared
 */
export function configuredStreams(config: SinkConfig, declared: readonly Stream[]): readonly Stream[] {
  const { SINK_STREAMS: names = declared.map(({ name }) => name) } = config;
  const unknown = names.filter((name) => !declared.some((stream) => stream.name === name));
  if (unknown.length > 0)
    throw new ConfigError([
      `SINK_STREAMS names "${unknown.join('", "')}", and the streams are ${declared.map(({ name }) => name).join(', ')}: name one of these.`,
    ]);
  const served = declared.filter(({ name }) => names.includes(name));
  return listStreams(served.map((stream) => configuredStream(config, stream)));
}

/** One stream with the names of the settings: those of a topic and of a table belong to the purchases. */
export function configuredStream(config: SinkConfig, stream: Stream): Stream {
  const database = config.LAKE_DATABASE;
  if (!isUnnamed(stream)) return { ...stream, database };
  return { ...stream, database, table: config.SINK_TABLE, topic: { ...stream.topic, name: config.SINK_TOPIC } };
}

/** Whether the names of the process have no suffix for this stream: it was there before the others. */
export function isUnnamed({ name }: Stream): boolean {
  return name === purchases.name;
}
