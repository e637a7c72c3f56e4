import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import type { ResultCell } from '@millrace/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cellOf } from './duckdb-cells.ts';
import { trinoTypeOf, TypeNotCarried } from './duckdb-types.ts';
import { readTextExactly } from './exact-text.ts';

let instance: DuckDBInstance;
let connection: DuckDBConnection;

beforeAll(async () => {
  readTextExactly();
  instance = await DuckDBInstance.create(':memory:');
  connection = await instance.connect();
  await connection.run("SET TimeZone = 'UTC'");
});
afterAll(() => {
  connection.closeSync();
  instance.closeSync();
});

interface Column {
  readonly name: string;
  readonly type: string;
  readonly cells: readonly ResultCell[];
}

async function columns(sql: string): Promise<Column[]> {
  const result = await connection.stream(sql);
  const found = result
    .columnNames()
    .map((name, index) => ({ name, type: trinoTypeOf(result.columnType(index)), cells: [] as ResultCell[] }));
  for await (const chunk of result) {
    for (const [index, { cells }] of found.entries()) {
      for (let row = 0; row < chunk.rowCount; row += 1) cells.push(cellOf(chunk.getColumnVector(index), row));
    }
  }
  return found;
}

/** A value, its type by Trino's name, and its cell where DuckDB's own text of it is not the cell. */
type Row = readonly [value: string, type: string, cell?: ResultCell];

const examples = (rows: readonly Row[]): { value: string; type: string; cell: ResultCell | undefined }[] =>
  rows.map(([value, type, cell]) => ({ value, type, cell }));

const scalars: readonly Row[] = [
  ['true', 'boolean', true],
  ['(-128)::TINYINT', 'tinyint', -128],
  ['32767::SMALLINT', 'smallint', 32767],
  ['(-2147483648)::INTEGER', 'integer', -2147483648],
  ['(-9223372036854775808)::BIGINT', 'bigint'],
  ['9223372036854775807::BIGINT', 'bigint'],
  ["'-170141183460469231731687303715884105728'::HUGEINT", 'decimal(38,0)'],
  ["'170141183460469231731687303715884105727'::HUGEINT", 'decimal(38,0)'],
  ['255::UTINYINT', 'smallint', 255],
  ['65535::USMALLINT', 'integer', 65535],
  ['4294967295::UINTEGER', 'bigint'],
  ['18446744073709551615::UBIGINT', 'decimal(20,0)'],
  ["'340282366920938463463374607431768211455'::UHUGEINT", 'decimal(39,0)'],
  ['(-12345678901234567890)::BIGNUM', 'varchar'],
  ["'1e100'::DOUBLE::BIGNUM", 'varchar'],
  ['(-0.5)::DECIMAL(4,1)', 'decimal(4,1)'],
  ['0.001::DECIMAL(9,3)', 'decimal(9,3)'],
  ['(-123456789.123456789)::DECIMAL(18,9)', 'decimal(18,9)'],
  ["'-99999999999999999999999999999999999999'::DECIMAL(38,0)", 'decimal(38,0)'],
  // DuckDB leaves out the zero before the point where all digits come after it.
  ["'-0.5'::DECIMAL(5,5)", 'decimal(5,5)', '-0.50000'],
  ["'0.00000000000000000000000000000000000001'::DECIMAL(38,38)", 'decimal(38,38)', '0.00000000000000000000000000000000000001'],
  ['0.1::FLOAT', 'real', 0.1],
  ['16777216::FLOAT', 'real', 16777216],
  ['3.4028235e38::FLOAT', 'real', 3.4028235e38],
  ['1e-45::FLOAT', 'real', 1e-45],
  ['(1.0/3)::FLOAT', 'real', 0.33333334],
  ["'-inf'::FLOAT", 'real', '-Infinity'],
  ['1.7976931348623157e308', 'double', 1.7976931348623157e308],
  ['5e-324', 'double', 5e-324],
  ['0.1::DOUBLE + 0.2::DOUBLE', 'double', 0.30000000000000004],
  ["'nan'::DOUBLE", 'double', 'NaN'],
  ["'inf'::DOUBLE", 'double', 'Infinity'],
  ["''", 'varchar'],
  [`'a"b\\c\n''\u{1F4DA}\u0301'`, 'varchar'],
  // DuckDB's own text is read by the same driver, so that it proves nothing here.
  ["'\uFEFFx'", 'varchar', '\uFEFFx'],
  ["'\uFEFF'", 'varchar', '\uFEFF'],
  ["'\uFEFFlonger than twelve bytes'", 'varchar', '\uFEFFlonger than twelve bytes'],
  ["'\uFEFFb'::ENUM('a', '\uFEFFb')", 'varchar'],
  [`'{"a":  1.50}'::JSON`, 'json'],
  ["''::BLOB", 'varbinary'],
  [String.raw`'\x00\x1F A\x22\x27\x5C\x7E\x7F\xFF'::BLOB`, 'varbinary'],
  ["from_hex('efbbbf41')", 'varbinary'],
  ["'0'::BIT", 'varchar'],
  ["'0101010101010101010'::BIT", 'varchar'],
  ["'00000000-0000-0000-0000-000000000000'::UUID", 'uuid'],
  ["'ffffffff-ffff-ffff-ffff-ffffffffffff'::UUID", 'uuid'],
  ["'infinity'::DATE", 'date'],
  ["'-infinity'::DATE", 'date'],
  ["'5881580-07-10'::DATE", 'date'],
  ["'5877642-06-25 (BC)'::DATE", 'date'],
  ["'0001-12-31 (BC)'::DATE", 'date'],
  ["'0002-01-01 (BC)'::DATE", 'date'],
  ["'0401-02-28 (BC)'::DATE", 'date'],
  ["'0001-01-01'::DATE", 'date'],
  ["'1969-12-31'::DATE", 'date'],
  ["'2024-02-29'::DATE", 'date'],
  ["'00:00:00'::TIME", 'time(6)'],
  ["'24:00:00'::TIME", 'time(6)'],
  ["'12:34:56.7'::TIME", 'time(6)'],
  ["'12:00:00.123456789'::TIME_NS", 'time(9)'],
  ["'12:00:00.123456+02:30'::TIMETZ", 'time(6) with time zone'],
  ["'12:00:00-15:59:59'::TIMETZ", 'time(6) with time zone'],
  ["'infinity'::TIMESTAMP", 'timestamp(6)'],
  ["'-infinity'::TIMESTAMP", 'timestamp(6)'],
  ["'290309-12-22 (BC) 00:00:00'::TIMESTAMP", 'timestamp(6)'],
  ["'294247-01-10 04:00:54.775806'::TIMESTAMP", 'timestamp(6)'],
  ["'0001-06-01 (BC) 10:00:00.5'::TIMESTAMP", 'timestamp(6)'],
  ["'1960-01-01 00:00:00.000001'::TIMESTAMP", 'timestamp(6)'],
  ["'9999-12-31 23:59:59.999999'::TIMESTAMP", 'timestamp(6)'],
  ["'infinity'::TIMESTAMP_S", 'timestamp(0)'],
  ["'-infinity'::TIMESTAMP_S", 'timestamp(0)'],
  ["'0001-06-01 (BC) 10:00:00'::TIMESTAMP_S", 'timestamp(0)'],
  ["'294247-01-10 04:00:54'::TIMESTAMP_S", 'timestamp(0)'],
  ["'infinity'::TIMESTAMP_MS", 'timestamp(3)'],
  ["'-infinity'::TIMESTAMP_MS", 'timestamp(3)'],
  ["'1960-01-01 00:00:00.25'::TIMESTAMP_MS", 'timestamp(3)'],
  ["'infinity'::TIMESTAMP_NS", 'timestamp(9)'],
  ["'-infinity'::TIMESTAMP_NS", 'timestamp(9)'],
  ["'1677-09-22 00:00:00'::TIMESTAMP_NS", 'timestamp(9)'],
  ["'2262-04-11 23:47:16.854775806'::TIMESTAMP_NS", 'timestamp(9)'],
  ["'1960-01-01 00:00:00.000000001'::TIMESTAMP_NS", 'timestamp(9)'],
  ["'infinity'::TIMESTAMPTZ", 'timestamp(6) with time zone'],
  // The zone as Trino writes it.
  ["'2020-01-01 00:00:00.5+05:30'::TIMESTAMPTZ", 'timestamp(6) with time zone', '2019-12-31 18:30:00.5 UTC'],
  ["'0044-03-15 (BC) 10:00:00+00'::TIMESTAMPTZ", 'timestamp(6) with time zone', '0044-03-15 (BC) 10:00:00 UTC'],
  ["'0001-03-15 (BC) 10:00:00+00'::TIMESTAMPTZ", 'timestamp(6) with time zone', '0001-03-15 (BC) 10:00:00 UTC'],
  ['INTERVAL 0 DAY', 'interval day to second'],
  ["INTERVAL '-1 year -2 months 3 days -04:05:06.7'", 'interval day to second'],
  ['INTERVAL 1 MONTH', 'interval day to second'],
  ['INTERVAL 25 MONTH', 'interval day to second'],
  ['to_hours(100)', 'interval day to second'],
  ['to_microseconds(-1)', 'interval day to second'],
  ['to_microseconds(9223372036854775807)', 'interval day to second'],
  ["DATE '2020-01-02' - TIMESTAMP '2020-01-01 00:00:00'", 'interval day to second'],
];

const nested: readonly Row[] = [
  ["['\uFEFFx', NULL]", 'array(varchar)', '["\uFEFFx",null]'],
  ['[9223372036854775807]', 'array(bigint)', '["9223372036854775807"]'],
  ['[]::INTEGER[]', 'array(integer)', '[]'],
  ['[[1], [], NULL]', 'array(array(integer))', '[[1],[],null]'],
  ['array_value(1, NULL)', 'array(integer)', '[1,null]'],
  ['array_value(array_value(1, 2), NULL, array_value(3, 4))', 'array(array(integer))', '[[1,2],null,[3,4]]'],
  ['array_value(row(1, 2), row(3, 4))', 'array(row(field0 integer, field1 integer))', '[{"field0":1,"field1":2},{"field0":3,"field1":4}]'],
  ["array_value('\uFEFFa', 'b')", 'array(varchar)', '["\uFEFFa","b"]'],
  ["row(1, 'a', NULL)", 'row(field0 integer, field1 varchar, field2 integer)', '{"field0":1,"field1":"a","field2":null}'],
  [
    'row(row(1, 2), row(3))',
    'row(field0 row(field0 integer, field1 integer), field1 row(field0 integer))',
    '{"field0":{"field0":1,"field1":2},"field1":{"field0":3}}',
  ],
  ["list_zip([1, 2], ['a', 'b'])", 'array(row(field0 integer, field1 varchar))', '[{"field0":1,"field1":"a"},{"field0":2,"field1":"b"}]'],
  ["{'Ab': 1, 'b c': {'d': 1.5}}", 'row(Ab integer, "b c" row(d decimal(2,1)))', '{"Ab":1,"b c":{"d":"1.5"}}'],
  ["{'__proto__': 1, '\uFEFFk': '\uFEFFv'}", 'row(__proto__ integer, "\uFEFFk" varchar)', '{"__proto__":1,"\uFEFFk":"\uFEFFv"}'],
  ['NULL::STRUCT(a INTEGER)', 'row(a integer)', null],
  ["MAP {'k': 1.5}", 'map(varchar, decimal(2,1))', '[{"key":"k","value":"1.5"}]'],
  ["MAP {'\uFEFFk': '\uFEFFv', 'n': NULL}", 'map(varchar, varchar)', '[{"key":"\uFEFFk","value":"\uFEFFv"},{"key":"n","value":null}]'],
  ['MAP {}::MAP(INTEGER, INTEGER)', 'map(integer, integer)', '[]'],
  ['NULL::MAP(INTEGER, INTEGER)', 'map(integer, integer)', null],
  [
    'map([row(1, 2)], [row(3, 4)])',
    'map(row(field0 integer, field1 integer), row(field0 integer, field1 integer))',
    '[{"key":{"field0":1,"field1":2},"value":{"field0":3,"field1":4}}]',
  ],
  ['union_value(a := 1)::UNION(a INTEGER, b VARCHAR)', 'row(a integer, b varchar)', '{"a":1,"b":null}'],
  ["'\uFEFFx'::UNION(a INTEGER, b VARCHAR)", 'row(a integer, b varchar)', '{"a":null,"b":"\uFEFFx"}'],
  ['union_value(a := row(1, 2))', 'row(a row(field0 integer, field1 integer))', '{"a":{"field0":1,"field1":2}}'],
  ['NULL::UNION(a INTEGER, b VARCHAR)', 'row(a integer, b varchar)', null],
  ["['infinity'::DATE, '2020-01-01']", 'array(date)', '["infinity","2020-01-01"]'],
  ["['nan'::DOUBLE, 1]", 'array(double)', '["NaN",1]'],
  ['[0.1::FLOAT]', 'array(real)', '[0.1]'],
  ["['2020-01-01 00:00:00+00'::TIMESTAMPTZ]", 'array(timestamp(6) with time zone)', '["2020-01-01 00:00:00 UTC"]'],
  ['[INTERVAL 1 DAY]', 'array(interval day to second)', '["1 day"]'],
  [String.raw`['\xAA\x5C'::BLOB]`, 'array(varbinary)', String.raw`["\\xAA\\x5C"]`],
  ["['01'::BIT, '1']", 'array(varchar)', '["01","1"]'],
];

describe('a cell of each type', () => {
  it.each(examples(scalars))('$value is of the type $type', async ({ value, type, cell }) => {
    const [actual, text, missing] = await columns(`SELECT ${value}, CAST(${value} AS VARCHAR), CASE WHEN random() > 2 THEN ${value} END`);
    expect(actual!.type).toBe(type);
    // DuckDB reads a cell that is not its own text back to the same value.
    const same = `SELECT CAST($cell$${String(cell)}$cell$ AS ${duckdbTypeOf(value)}) IS NOT DISTINCT FROM ${value}`;
    expect(cell === undefined ? [true] : (await columns(same))[0]!.cells).toEqual([true]);
    expect(actual!.cells).toEqual(cell === undefined ? text!.cells : [cell]);
    expect(missing!.cells).toEqual([null]);
  });

  it.each(examples(nested))('$value nests and is of the type $type', async ({ value, type, cell }) => {
    const [actual] = await columns(`SELECT ${value}`);
    expect(actual).toMatchObject({ type, cells: [cell] });
  });

  it.each(examples([...scalars, ...nested]))('$value is the same between other rows, in a list and in a row', async ({ value }) => {
    const [alone] = await columns(`SELECT ${value}`);
    const [among] = await columns(`SELECT v FROM range(5) t(n) LEFT JOIN (SELECT ${value} AS v) ON n % 2 = 0 ORDER BY n`);
    const [cell] = alone!.cells;
    expect(among!.cells).toEqual([cell, null, cell, null, cell]);
    const [inList, inRow] = await columns(`SELECT [NULL, ${value}], {'a': ${value}}`);
    const inner: unknown = typeof cell === 'string' && /^(?:array|row|map)/.test(alone!.type) ? JSON.parse(cell) : cell;
    expect(JSON.parse(inList!.cells[0] as string)).toEqual([null, inner]);
    expect(JSON.parse(inRow!.cells[0] as string)).toEqual({ a: inner });
  });

  it('the name of a column keeps a leading U+FEFF', async () => {
    expect((await columns('SELECT 1 AS "\uFEFFa"'))[0]!.name).toBe('\uFEFFa');
  });

  it.each(['1::VARIANT', '[1::VARIANT]'])('%s is of a type that a result cannot carry', async (value) => {
    await expect(columns(`SELECT ${value}`)).rejects.toBeInstanceOf(TypeNotCarried);
  });
});

function duckdbTypeOf(value: string): string {
  const cast = /::([A-Z]+(?:\([\d,]+\))?)$/.exec(value)?.[1];
  if (cast !== undefined) return cast;
  if (value.startsWith("'")) return 'VARCHAR';
  return value === 'true' ? 'BOOLEAN' : 'DOUBLE';
}
