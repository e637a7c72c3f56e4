import { once } from 'node:events';
import { purchases } from '@millrace/contracts';
import { DuckDBInstance } from '@duckdb/node-api';

// The bound of the encoding. DuckDB makes a sorted Parquet file of each file of lines. It has the limits of the sink's encoder.

const types: Readonly<Record<string, string>> = { string: 'VARCHAR', int: 'INTEGER', timestamp: 'BIGINT' };
const read = purchases.columns.map(({ field, type }) => `${field}: '${types[type]!}'`);
const select = purchases.columns.map(({ field, name, type }) =>
  type === 'timestamp' ? `make_timestamp(${field} * 1000000) AS ${name}` : `${field} AS ${name}`,
);

const connection = await (await DuckDBInstance.create(':memory:', { memory_limit: '256MB', threads: '2' })).connect();
console.log('begin');
for (const path of process.argv.slice(2))
  await connection.run(
    `COPY (SELECT ${select.join(', ')} FROM read_json('${path}', format = 'newline_delimited', columns = {${read.join(', ')}})
     ORDER BY ${purchases.sortColumns.join(', ')}) TO '${path}.parquet' (FORMAT parquet, COMPRESSION zstd)`,
  );
console.log('end');
process.stdin.resume();
await once(process.stdin, 'end');
