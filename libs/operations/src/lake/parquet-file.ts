import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hiddenColumns, type ColumnType, type Stream } from '@millrace/contracts';
import { quoted, type Duck } from './duck.ts';

/** DuckDB's type of each type of a column. */
export const duckTypes: Readonly<Record<ColumnType, string>> = {
  string: 'VARCHAR',
  int: 'INTEGER',
  bigint: 'BIGINT',
  double: 'DOUBLE',
  boolean: 'BOOLEAN',
  timestamp: 'TIMESTAMP',
};

/** Writes a Parquet file with the stream's columns, field ids and hidden columns. It has the rows of `select`, or none without it. */
export async function parquetFile(duck: Duck, stream: Stream, select?: string): Promise<Uint8Array> {
  const columns = [
    ...stream.columns.map(({ name, type, fieldId }) => ({ name, type: duckTypes[type], fieldId })),
    ...hiddenColumns.map(({ name, type, fieldId }) => ({ name, type: duckTypes[type], fieldId })),
  ];
  const list = columns.map(({ name, type }) => `${select === undefined ? 'NULL' : name}::${type} AS ${name}`).join(', ');
  const folder = mkdtempSync(join(tmpdir(), 'millrace-parquet-'));
  try {
    const path = join(folder, 'file.parquet');
    await duck.connection.run(
      `COPY (SELECT ${list} FROM ${select === undefined ? '(SELECT 1) WHERE false' : `(${select})`}) TO ${quoted(path)} (FORMAT parquet, COMPRESSION zstd, FIELD_IDS {${columns.map(({ name, fieldId }) => `${name}: ${fieldId}`).join(', ')}})`,
    );
    return readFileSync(path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
