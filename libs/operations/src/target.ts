import { purchases } from '@millrace/contracts';
import { awsAccessFrom } from '@millrace/lake';
import { openLake, type Lake } from './lake/open-lake.ts';

/** A table and its topic, as operations reach them. */
export interface Target {
  readonly lake: Lake;
  /** Addresses of Kafka brokers, `host:port`. */
  readonly brokers: readonly string[];
  /** Path of DuckDB's httpfs extension. Default: DuckDB downloads it. */
  readonly httpfsPath?: string | undefined;
  /** Offsets behind a row in which the sink drops a repeated event, ≥ 0. */
  readonly dedupOffsets: number;
  close(): void;
}

/** A name that replaces one of the environment. */
export interface TargetNames {
  /** Prefix of the table in the bucket. Default: `SINK_TABLE`. */
  readonly table?: string | undefined;
  /** Name of the table in Glue. Default: `table`, then `SINK_CATALOG_TABLE`, then `SINK_TABLE`. */
  readonly catalogTable?: string | undefined;
}

const dedupOffsetsDefault = 131_072;

/**
 * Opens the target that the services' own settings name: `LAKE_BUCKET`, `LAKE_DATABASE`, `SINK_TABLE`, `SINK_CATALOG_TABLE`, `SINK_TOPIC`,
 * `SINK_DEDUP_OFFSETS`, `KAFKA_BROKERS`, `QUERY_DUCKDB_HTTPFS` and the variables of the AWS SDK. The caller closes it.
 *
 * @throws OperationError `invalid-argument` when the name of the table is not valid
 */
export function openTarget(env: Readonly<Record<string, string>>, { table, catalogTable }: TargetNames = {}): Target {
  const liveTable = env['SINK_TABLE'] ?? purchases.table;
  const dedupOffsets = Number(env['SINK_DEDUP_OFFSETS'] ?? dedupOffsetsDefault);
  const lake = openLake({
    bucket: env['LAKE_BUCKET'] ?? 'millrace-lake',
    database: env['LAKE_DATABASE'] ?? purchases.database,
    table: table ?? liveTable,
    catalogTable: catalogTable ?? table ?? env['SINK_CATALOG_TABLE'] ?? liveTable,
    topic: env['SINK_TOPIC'] ?? purchases.topic.name,
    aws: awsAccessFrom(env),
  });
  return {
    lake,
    brokers: brokersFrom(env),
    httpfsPath: env['QUERY_DUCKDB_HTTPFS'] === '' ? undefined : env['QUERY_DUCKDB_HTTPFS'],
    dedupOffsets: Number.isSafeInteger(dedupOffsets) && dedupOffsets >= 0 ? dedupOffsets : dedupOffsetsDefault,
    close: () => lake.close(),
  };
}

/** Reads `KAFKA_BROKERS`. Default: 127.0.0.1:9092. */
export function brokersFrom(env: Readonly<Record<string, string>>): readonly string[] {
  return (env['KAFKA_BROKERS'] ?? '127.0.0.1:9092').split(',');
}
