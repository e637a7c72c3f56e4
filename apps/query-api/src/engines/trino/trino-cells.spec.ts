import { expect, it } from 'vitest';
import { readAnswer, type TrinoValue, type TypeSignature } from './trino-answer.ts';
import { cellReader } from './trino-cells.ts';
import { typeName } from './trino-types.ts';

/** A type without parameters, or with numbers. */
function plain(rawType: string, ...numbers: number[]): TypeSignature {
  return { rawType, arguments: numbers.map((value) => ({ kind: 'LONG', value })) };
}

function of(rawType: string, ...types: TypeSignature[]): TypeSignature {
  return { rawType, arguments: types.map((value) => ({ kind: 'TYPE', value })) };
}

function row(...fields: [name: string | undefined, type: TypeSignature][]): TypeSignature {
  return {
    rawType: 'row',
    arguments: fields.map(([name, typeSignature]) => ({
      kind: 'NAMED_TYPE',
      value: { typeSignature, ...(name === undefined ? {} : { fieldName: { name } }) },
    })),
  };
}

const bigint = plain('bigint');
const integer = plain('integer');
const text = plain('varchar', 2147483647);

it.each([
  [text, 'varchar'],
  [plain('varchar', 7), 'varchar'],
  [plain('char', 2), 'varchar'],
  [plain('decimal', 10, 2), 'decimal(10,2)'],
  [plain('timestamp', 6), 'timestamp(6)'],
  [plain('timestamp with time zone', 3), 'timestamp(3) with time zone'],
  [plain('time with time zone', 6), 'time(6) with time zone'],
  [plain('interval day to second'), 'interval day to second'],
  [of('map', text, of('array', bigint)), 'map(varchar, array(bigint))'],
  [row(['n', integer], ['b c', text], [undefined, integer]), 'row(n integer, "b c" varchar, field2 integer)'],
])('the type %j has the name %s', (type, name) => {
  expect(typeName(type)).toBe(name);
});

it.each([
  [integer, '-7', -7],
  [bigint, '9223372036854775807', '9223372036854775807'],
  [bigint, '-9007199254740993', '-9007199254740993'],
  [bigint, '5', '5'],
  [plain('double'), '36893488147419103232', 2 ** 65],
  [plain('double'), '1.0E300', 1e300],
  [plain('double'), '"NaN"', 'NaN'],
  [plain('real'), '0.10000000149011612', 0.1],
  [plain('real'), '"-Infinity"', '-Infinity'],
  [plain('boolean'), 'true', true],
  [text, '"12345678901234567890"', '12345678901234567890'],
  [plain('varbinary'), '"Qf8="', String.raw`A\xFF`],
  [plain('timestamp', 6), '"2020-01-01 00:00:00.120000"', '2020-01-01 00:00:00.12'],
  [plain('timestamp with time zone', 0), '"2020-01-01 00:00:00 UTC"', '2020-01-01 00:00:00 UTC'],
  [plain('interval day to second'), '"3 04:05:06.700"', '3 days 04:05:06.7'],
  [plain('interval day to second'), '"-1 04:05:06.000"', '-1 days -04:05:06'],
  [plain('interval day to second'), '"0 00:00:00.000"', '00:00:00'],
  [plain('interval year to month'), '"1-2"', '1 year 2 months'],
  [plain('interval year to month'), '"0-0"', '00:00:00'],
  [of('array', bigint), '[1,null,9007199254740993]', '["1",null,"9007199254740993"]'],
  [of('map', integer, text), '{"1":"a"}', '[{"key":1,"value":"a"}]'],
  [of('map', bigint, plain('boolean')), '{"9007199254740993":true}', '[{"key":"9007199254740993","value":true}]'],
  [row(['n', integer], ['__proto__', text]), '[1,"x"]', '{"n":1,"__proto__":"x"}'],
  [row([undefined, integer]), '[1]', '{"field0":1}'],
  [of('array', integer), 'null', null],
])('a value of the type %j, written as %s, is the cell %j', (typeSignature, json, cell) => {
  const { data } = readAnswer(`{"id":"q","stats":{"state":"RUNNING"},"data":[[${json}]]}`);
  expect(cellReader({ name: 'a', typeSignature })(data![0]![0] as TrinoValue)).toBe(cell);
});
