import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { tableFromIPC } from 'apache-arrow';
import { describe, expect, it } from 'vitest';
import type { ResultColumn, ResultRow } from '../../engines/query-engine.ts';
import { wholeFormats } from './result-formats.ts';
import type { ResultFormat } from './result-format.ts';

const [parquet, arrow] = ['parquet', 'arrow'].map((name) => wholeFormats.find(({ mediaType }) => mediaType.includes(name))!) as [
  ResultFormat,
  ResultFormat,
];

/** One value of each type, its type and its text in DuckDB after it was read from Parquet, and its type in Arrow. */
const values: readonly (readonly [type: string, cell: ResultRow[number], duckdb: string, shown: string, arrow: string])[] = [
  ['boolean', true, 'BOOLEAN', 'true', 'Bool'],
  ['tinyint', -128, 'TINYINT', '-128', 'Int8'],
  ['smallint', 32_767, 'SMALLINT', '32767', 'Int16'],
  ['integer', -2_147_483_648, 'INTEGER', '-2147483648', 'Int32'],
  ['bigint', '-9223372036854775808', 'BIGINT', '-9223372036854775808', 'Int64'],
  ['bigint', '9007199254740993', 'BIGINT', '9007199254740993', 'Int64'],
  ['decimal(10,2)', '-0.05', 'DECIMAL(10,2)', '-0.05', 'Decimal[10e+2]'],
  ['decimal(38,0)', '12345678901234567890123456789012345678', 'DECIMAL(38,0)', '12345678901234567890123456789012345678', 'Decimal[38e0]'],
  [
    'decimal(38,38)',
    '0.12345678901234567890123456789012345678',
    'DECIMAL(38,38)',
    '.12345678901234567890123456789012345678',
    'Decimal[38e+38]',
  ],
  ['decimal(39,0)', '340282366920938463463374607431768211455', 'VARCHAR', '340282366920938463463374607431768211455', 'Utf8'],
  ['real', 0.1, 'FLOAT', '0.1', 'Float32'],
  ['double', 1e300, 'DOUBLE', '1e+300', 'Float64'],
  ['double', 'NaN', 'DOUBLE', 'nan', 'Float64'],
  ['double', '-Infinity', 'DOUBLE', '-inf', 'Float64'],
  ['date', '2024-02-29', 'DATE', '2024-02-29', 'Date32<DAY>'],
  ['date', '0044-03-15 (BC)', 'DATE', '0044-03-15 (BC)', 'Date32<DAY>'],
  ['date', '-0043-03-15', 'DATE', '0044-03-15 (BC)', 'Date32<DAY>'],
  ['date', 'infinity', 'DATE', 'infinity', 'Date32<DAY>'],
  ['time(6)', '13:05:09.5', 'TIME', '13:05:09.5', 'Time64<MICROSECOND>'],
  ['time(9)', '13:05:09.000000001', 'VARCHAR', '13:05:09.000000001', 'Utf8'],
  ['timestamp(3)', '1969-12-31 23:59:59.999', 'TIMESTAMP', '1969-12-31 23:59:59.999', 'Timestamp<MICROSECOND>'],
  ['timestamp(6)', '9999-12-31 23:59:59.999999', 'TIMESTAMP', '9999-12-31 23:59:59.999999', 'Timestamp<MICROSECOND>'],
  ['timestamp(6)', '-infinity', 'TIMESTAMP', '-infinity', 'Timestamp<MICROSECOND>'],
  ['timestamp(9)', '2024-02-29 13:05:09.000000001', 'VARCHAR', '2024-02-29 13:05:09.000000001', 'Utf8'],
  ['timestamp(6) with time zone', '2024-02-29 13:05:09.5 UTC', 'VARCHAR', '2024-02-29 13:05:09.5 UTC', 'Utf8'],
  ['varbinary', String.raw`A\x5C\x00\xFF`, 'BLOB', String.raw`A\x5C\x00\xFF`, 'Binary'],
  ['varchar', 'é 📚\u0000\uFEFF', 'VARCHAR', 'é 📚\u0000\uFEFF', 'Utf8'],
  ['uuid', 'ec437d98-455d-4fec-8dbe-2c2630454bdd', 'VARCHAR', 'ec437d98-455d-4fec-8dbe-2c2630454bdd', 'Utf8'],
  ['array(bigint)', '["9007199254740993",null]', 'VARCHAR', '["9007199254740993",null]', 'Utf8'],
  ['unknown', null, 'VARCHAR', '', 'Utf8'],
];

const columns: readonly ResultColumn[] = values.map(([type], index) => ({ name: `${index} ${type}.x`, type }));
const row: ResultRow = values.map(([, cell]) => cell);
const nulls: ResultRow = values.map(() => null);

async function encoded(format: ResultFormat, of: readonly ResultColumn[], batches: readonly (readonly ResultRow[])[]): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  async function* source(): AsyncGenerator<readonly ResultRow[]> {
    yield* batches;
  }
  for await (const chunk of format.encode(of, source())) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks);
}

/** Reads a file of Parquet by DuckDB, which shares no code with the writer. */
async function readByDuckDb(
  bytes: Uint8Array,
): Promise<{ readonly names: string[]; readonly types: string[]; readonly rows: unknown[][] }> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-parquet-'));
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    const path = join(folder, 'result.parquet');
    await writeFile(path, bytes);
    const result = await connection.runAndReadAll(`FROM read_parquet('${path}')`);
    const shown = await connection.runAndReadAll(`SELECT COLUMNS(*)::VARCHAR FROM read_parquet('${path}')`);
    return { names: result.columnNames(), types: result.columnTypes().map(String), rows: shown.getRows() };
  } finally {
    connection.closeSync();
    instance.closeSync();
    await rm(folder, { recursive: true, force: true });
  }
}

describe('Parquet', () => {
  it('DuckDB reads each type, each value and each NULL from the file', async () => {
    const read = await readByDuckDb(await encoded(parquet, columns, [[row, nulls], [row]]));
    expect(read.names).toEqual(columns.map(({ name }) => name));
    expect(read.types).toEqual(values.map(([, , type]) => type));
    const shown = values.map(([, cell, , text]) => (cell === null ? null : text));
    expect(read.rows).toEqual([shown, nulls, shown]);
  });

  it('a result without rows is a file with its columns', async () => {
    const read = await readByDuckDb(await encoded(parquet, columns, []));
    expect([read.types, read.rows]).toEqual([values.map(([, , type]) => type), []]);
  });

  it('ten thousand rows become one row group, and its bytes are given before more rows are read', async () => {
    let asked = 0;
    const one = [{ name: 'n', type: 'bigint' }];
    async function* source(): AsyncGenerator<readonly ResultRow[]> {
      for (; asked < 20; asked += 1) yield Array.from({ length: 1000 }, () => [String(asked)]);
    }
    const sizes: [number, number][] = [];
    for await (const chunk of parquet.encode(one, source())) sizes.push([asked, chunk.length]);
    expect(sizes.map(([batches]) => batches)).toEqual([9, 19, 20]);
    expect(Math.min(...sizes.map(([, bytes]) => bytes))).toBeGreaterThan(4);
  });
});

describe('Arrow', () => {
  it('a reader finds each type, each value and each NULL in the stream', async () => {
    const table = tableFromIPC(await encoded(arrow, columns, [[row, nulls], [row]]));
    expect(table.schema.fields.map(({ name }) => name)).toEqual(columns.map(({ name }) => name));
    expect(table.schema.fields.map(({ type }) => String(type))).toEqual(values.map(([, , , , type]) => type));
    expect(table.numRows).toBe(3);
    const raw = (index: number): unknown => {
      const { values: buffer } = table.getChildAt(index)!.data[0]!;
      return (buffer as ArrayLike<unknown>)[0];
    };
    const at = (type: string): number => values.findIndex(([name]) => name === type);
    expect([raw(at('bigint')), raw(at('real')), raw(at('date')), raw(at('time(6)')), raw(at('timestamp(3)'))]).toEqual([
      -9223372036854775808n,
      Math.fround(0.1),
      19_782,
      47_109_500_000n,
      -1000n,
    ]);
    const values0 = table.getChildAt(at('varchar'))!;
    expect([values0.get(0), values0.get(1), values0.get(2)]).toEqual(['é 📚\u0000\uFEFF', null, 'é 📚\u0000\uFEFF']);
    expect(Buffer.from(table.getChildAt(at('varbinary'))!.get(2) as Uint8Array)).toEqual(Buffer.from([0x41, 0x5c, 0, 0xff]));
    const decimal = table.getChildAt(at('decimal(10,2)'))!;
    expect([...(decimal.get(0) as Uint32Array)]).toEqual([2 ** 32 - 5, 2 ** 32 - 1, 2 ** 32 - 1, 2 ** 32 - 1]);
    for (const [index] of values.entries()) expect(table.getChildAt(index)!.get(1)).toBeNull();
  });

  it('a result without rows is a stream with its columns', async () => {
    const table = tableFromIPC(await encoded(arrow, columns, []));
    expect([table.numRows, table.schema.fields.length]).toEqual([0, columns.length]);
  });
});

describe.each([parquet, arrow])('$mediaType', (format) => {
  it.each<[string, ResultRow[number]]>([
    ['integer', '1'],
    ['tinyint', 128],
    ['bigint', '9223372036854775808'],
    ['decimal(4,2)', '100.00'],
    ['decimal(4,2)', '1.005'],
    ['date', 'soon'],
    ['timestamp(6)', '2024-02-29T13:05:09'],
    ['boolean', 'true'],
  ])('a %s that is %j ends the answer with an error instead of another value', async (type, cell) => {
    await expect(encoded(format, [{ name: 'a', type }], [[[cell]]])).rejects.toMatchObject({
      code: 'engine-failed',
      message: expect.stringContaining(`The engine gave ${JSON.stringify(cell)} as `) as string,
    });
  });
});
