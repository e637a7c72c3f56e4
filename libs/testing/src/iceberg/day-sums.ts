import { TrinoRun } from '../athena/trino-run.ts';

/** The sums of one day as a reader sees them. Integers are text. */
export interface DaySums {
  readonly dt: string;
  readonly rows: string;
  /** Distinct pairs of partition and offset. */
  readonly places: string;
  readonly ages: string;
  /** Sum of hashes over all columns: equal for two sets of rows only if they are the same, doubled rows included. */
  readonly hash: string;
}

/** A table of purchases in the catalog. */
export interface CatalogTable {
  readonly database: string;
  readonly name: string;
  /** Only these days. Default: all. */
  readonly days?: readonly string[];
}

const plainColumns = ['event_id', 'book_id', 'title', 'author', 'genre', 'user_id', 'user_country', 'user_age'];

/** Columns of the Kafka partition and the offset. */
export type PlaceColumns = readonly [partition: string, offset: string];

/** Returns the SQL of DuckDB for the hash of one row, of which {@link DaySums} has the sum. */
export function duckDbRowHashSql([partition, offset]: PlaceColumns): string {
  const text = `concat_ws('|', ${plainColumns.join(', ')}, epoch(purchase_timestamp)::BIGINT, dt, ${partition}, ${offset})`;
  return `('0x' || substr(md5(${text}), 1, 10))::BIGINT`;
}

/**
 * Returns the SQL of DuckDB that computes {@link DaySums}.
 *
 * @param source what follows `FROM`, with an optional `WHERE`
 * @param hash the hash of a row. Default: computed from its columns
 */
export function duckDbSumsSql(source: string, place: PlaceColumns, hash = duckDbRowHashSql(place)): string {
  const [partition, offset] = place;
  return `SELECT dt, count(*)::VARCHAR AS rows, count(DISTINCT (${partition}, ${offset}))::VARCHAR AS places,
    sum(user_age)::VARCHAR AS ages, sum(${hash})::VARCHAR AS hash
    FROM ${source} GROUP BY dt ORDER BY dt`;
}

/**
 * Reads the sums of an Iceberg table by Trino's connector for Iceberg.
 *
 * @throws Error with Trino's message
 */
export async function trinoSums({ database, name, days }: CatalogTable, url: string): Promise<DaySums[]> {
  const parts = [
    ...plainColumns.map((column) => `cast(${column} AS varchar)`),
    'cast(cast(to_unixtime(purchase_timestamp) AS bigint) AS varchar)',
    'dt',
    'cast(kafka_partition AS varchar)',
    'cast(kafka_offset AS varchar)',
  ];
  const where = days === undefined ? '' : `WHERE dt IN (${days.map((day) => `'${day}'`).join(', ')})`;
  const sql = `SELECT dt, cast(count(*) AS varchar), cast(count(DISTINCT row(kafka_partition, kafka_offset)) AS varchar),
    cast(sum(user_age) AS varchar),
    cast(sum(from_base(substr(to_hex(md5(to_utf8(concat_ws('|', ${parts.join(', ')})))), 1, 10), 16)) AS varchar)
    FROM ${name} ${where} GROUP BY dt ORDER BY dt`;
  const statement = new TrinoRun(sql, { url, catalog: 'iceberg', schema: database });
  await statement.ended;
  if (statement.failure !== undefined) throw new Error(`Trino did not read the Iceberg table: ${statement.failure.message}`);
  return statement.rows.map((row) => {
    const [dt, rows, places, ages, hash] = row.map(String);
    return { dt: dt!, rows: rows!, places: places!, ages: ages!, hash: hash! };
  });
}
