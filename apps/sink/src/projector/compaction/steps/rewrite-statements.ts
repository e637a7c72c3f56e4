import { hiddenColumns, partitionKeyFieldId, type ColumnType, type Stream } from '@millrace/contracts';

const duckTypes: Readonly<Record<ColumnType, string>> = {
  string: 'VARCHAR',
  int: 'INTEGER',
  bigint: 'BIGINT',
  double: 'DOUBLE',
  boolean: 'BOOLEAN',
  timestamp: 'TIMESTAMP',
};

/** SQL of one rewrite: files of one day become one sorted file. */
export interface RewriteStatements {
  /** Writes the file. */
  readonly copy: string;
  /** Rows and sum of hashes of the files to merge. Two sets of rows with equal sums are the same, doubled rows included. */
  readonly inputSums: string;
  /** The same of the written file. */
  readonly outputSums: string;
  /** Bounds of the written file: time, partition and offset. */
  readonly bounds: string;
}

/**
 * Makes the statements. Columns are found by field id, as readers of Iceberg find them: a file that was written before a field existed
 * gives null. The value of the partition key comes from the day, because old files lack it.
 */
export function rewriteStatements(stream: Stream, dt: string, sources: readonly string[], target: string): RewriteStatements {
  const columns = [...stream.columns, ...hiddenColumns];
  const schema = columns.map(({ fieldId, name, type }) => `${fieldId}: {name: '${name}', type: '${duckTypes[type]}', default_value: NULL}`);
  const inputs = `read_parquet([${sources.map(quoteText).join(', ')}], schema = MAP {${schema.join(', ')}}, hive_partitioning = false)`;
  const names = [...stream.columns.map(({ name }) => name), stream.partitionKey, ...hiddenColumns.map(({ name }) => name)];
  const rows = `SELECT ${[
    ...stream.columns.map(({ name }) => name),
    `${quoteText(dt)} AS ${stream.partitionKey}`,
    ...hiddenColumns.map(({ name }) => name),
  ].join(', ')} FROM ${inputs}`;
  const output = `read_parquet(${quoteText(target)}, hive_partitioning = false)`;
  const fieldIds = [...columns, { name: stream.partitionKey, fieldId: partitionKeyFieldId }].map(
    ({ name, fieldId }) => `${name}: ${fieldId}`,
  );
  const sums = `SELECT count(*)::VARCHAR AS rows, coalesce(sum(hash(${names.join(', ')})::HUGEINT), 0)::VARCHAR AS hashes FROM`;
  const time = stream.columns.find(({ field }) => field === stream.timeField)!.name;
  const [partition, offset] = hiddenColumns;
  return {
    copy: [
      `COPY (${rows} ORDER BY ${[...stream.sortColumns, partition.name, offset.name].join(', ')})`,
      `TO ${quoteText(target)} (FORMAT parquet, COMPRESSION ${stream.fileCodec}, FIELD_IDS {${fieldIds.join(', ')}})`,
    ].join('\n'),
    inputSums: `${sums} (${rows})`,
    outputSums: `${sums} ${output}`,
    bounds: [
      `SELECT epoch(min(${time}))::BIGINT, epoch(max(${time}))::BIGINT, min(${partition.name}), max(${partition.name}),`,
      `min(${offset.name}), max(${offset.name}) FROM ${output}`,
    ].join('\n'),
  };
}

function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
