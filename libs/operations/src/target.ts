import { purchases, streams as allStreams, type Stream } from '@millrace/contracts';
import { kafkaAccessFrom, KafkaSettingsError, type KafkaAccess } from '@millrace/kafka/access';
import { awsAccessFrom, LakeError, lakeConfigFrom, lakeRoot, type LakeConfig } from '@millrace/lake';
import { OperationError } from './errors.ts';
import { openLake, type Lake, type LakeRows } from './lake/open-lake.ts';

/** A table and its topic, as operations reach them. */
export interface Target {
  readonly lake: Lake;
  /** How to reach Kafka. */
  readonly kafka: KafkaAccess;
  /** Path of DuckDB's httpfs extension. Default: DuckDB downloads it. */
  readonly httpfsPath?: string | undefined;
  /** Offsets behind a row in which the sink drops a repeated event, ≥ 0. */
  readonly dedupOffsets: number;
  close(): void;
}

/** A table and its topic, as a redrive reaches them. */
export interface RedriveTarget extends Pick<Target, 'kafka' | 'httpfsPath'> {
  readonly lake: LakeRows;
  /** Memory of the search for rows in megabytes at most, ≥ 64. Default 512; more goes to disk. */
  readonly searchMemoryMb?: number;
}

/** A name that replaces one of the environment. */
export interface TargetNames {
  /** Streams among which `table` may name one by its table. Default: every declared stream. */
  readonly streams?: readonly Stream[];
  /** Prefix of the table in the bucket. Default: `SINK_TABLE`. */
  readonly table?: string | undefined;
  /** Name of the table in Glue. Default: `table`, then `SINK_CATALOG_TABLE`, then `SINK_TABLE`. */
  readonly catalogTable?: string | undefined;
}

const dedupOffsetsDefault = 131_072;

/**
 * Opens the target that the services' own settings name. The caller closes it. These are `LAKE_BUCKET`, `LAKE_PREFIX`, `LAKE_DATABASE`,
 * `SINK_TABLE`, `SINK_CATALOG_TABLE`, `SINK_TOPIC`, `SINK_DEDUP_OFFSETS` and `QUERY_DUCKDB_HTTPFS`. The connection to Kafka, the settings
 * of the bucket and the variables of the AWS SDK count, too.
 *
 * @throws OperationError `invalid-argument` when the name of the table or a setting of Kafka or of the bucket is not valid
 */
export function openTarget(env: Readonly<Record<string, string>>, { table, catalogTable, streams = allStreams }: TargetNames = {}): Target {
  // The table of another stream brings its own topic. Any other table holds purchases: the live one, or a replay of it.
  const named = streams.find((stream) => stream.table === table && stream.name !== purchases.name);
  const declaration = named ?? purchases;
  const liveTable = env['SINK_TABLE'] ?? purchases.table;
  const dedupOffsets = Number(env['SINK_DEDUP_OFFSETS'] ?? dedupOffsetsDefault);
  const kafka = kafkaAccessFor(env);
  const { LAKE_PREFIX: prefix } = lakeConfigFor(env);
  const lake = openLake({
    declaration,
    bucket: lakeRoot(env['LAKE_BUCKET'] ?? 'millrace-lake', prefix),
    database: env['LAKE_DATABASE'] ?? purchases.database,
    table: table ?? liveTable,
    catalogTable: catalogTable ?? table ?? env['SINK_CATALOG_TABLE'] ?? liveTable,
    topic: named?.topic.name ?? env['SINK_TOPIC'] ?? purchases.topic.name,
    aws: awsAccessFrom(env),
  });
  return {
    lake,
    kafka,
    httpfsPath: env['QUERY_DUCKDB_HTTPFS'] === '' ? undefined : env['QUERY_DUCKDB_HTTPFS'],
    dedupOffsets: Number.isSafeInteger(dedupOffsets) && dedupOffsets >= 0 ? dedupOffsets : dedupOffsetsDefault,
    close: () => lake.close(),
  };
}

/**
 * Reads how to reach Kafka from the settings that begin with `KAFKA_`.
 *
 * @throws OperationError `invalid-argument` naming every setting that is wrong
 */
export function kafkaAccessFor(env: Readonly<Record<string, string>>): KafkaAccess {
  try {
    return kafkaAccessFrom(env);
  } catch (error) {
    if (error instanceof KafkaSettingsError) throw new OperationError('invalid-argument', error.message, { cause: error });
    throw error;
  }
}

function lakeConfigFor(env: Readonly<Record<string, string>>): LakeConfig {
  try {
    return lakeConfigFrom(env);
  } catch (error) {
    if (error instanceof LakeError) throw new OperationError('invalid-argument', error.message, { cause: error });
    throw error;
  }
}
