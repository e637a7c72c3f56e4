import { duckDbRowHashSql, duckDbSumsSql, type DaySums, type LakeView } from '@millrace/testing';
import { sqlList } from './sql-list.ts';
import type { DuckDbLake } from './duckdb-lake.ts';

/** Offset of each Kafka partition below which a reader saw every row. */
export type Offsets = ReadonlyMap<number, number>;

const place = ['_partition', '_offset'] as const;

/** Files that one statement reads. */
const filesAtOnce = 500;

/** Places, days and hashes of all rows in the base. A file in the base never changes, so each is read once. */
export class BaseCopy {
  readonly #duckdb: DuckDbLake;
  readonly #view: LakeView;
  readonly #table: string;
  readonly #read = new Set<string>();
  #gone: readonly string[] = [];

  constructor(duckdb: DuckDbLake, view: LakeView, table: string) {
    this.#duckdb = duckdb;
    this.#view = view;
    this.#table = table;
  }

  /** Files of the base that no longer existed at the last refresh. */
  get gone(): readonly string[] {
    return this.#gone;
  }

  get files(): number {
    return this.#read.size;
  }

  /** Reads the files that landed since. */
  async refresh(): Promise<void> {
    const listed = (await this.#view.objects(`${this.#table}/`)).map(({ key }) => key).filter((key) => key.endsWith('.parquet'));
    const present = new Set(listed);
    this.#gone = [...this.#read].filter((key) => !present.has(key));
    const fresh = listed.filter((key) => !this.#read.has(key));
    for (let start = 0; start < fresh.length; start += filesAtOnce) {
      const keys = fresh.slice(start, start + filesAtOnce);
      const files = sqlList(keys.map((key) => `s3://${this.#view.bucket}/${key}`));
      const rows = `read_parquet([${files}], hive_partitioning = true, hive_types = {dt: VARCHAR}, union_by_name = true)`;
      const source = `SELECT dt, _partition, _offset, user_age, ${duckDbRowHashSql(place)} AS hash FROM ${rows}`;
      await this.#duckdb.rows(this.#read.size === 0 ? `CREATE TABLE base AS ${source}` : `INSERT INTO base BY NAME ${source}`);
      for (const key of keys) this.#read.add(key);
    }
  }

  /** The sums of each day, of every row or of those below some offsets. */
  async sums(offsets?: Offsets): Promise<DaySums[]> {
    if (this.#read.size === 0) return [];
    const ends = [...(offsets ?? [])].map(([partition, offset]) => `WHEN ${partition} THEN ${offset}`);
    const below = offsets === undefined ? 'true' : ends.length === 0 ? 'false' : `_offset < CASE _partition ${ends.join(' ')} ELSE 0 END`;
    return await this.#duckdb.rows<DaySums>(duckDbSumsSql(`base WHERE ${below}`, place, 'hash'));
  }
}
