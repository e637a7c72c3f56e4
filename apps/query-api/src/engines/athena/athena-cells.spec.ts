import { expect, it } from 'vitest';
import { cellOf, columnsOf } from './athena-cells.ts';

it.each([
  [{ Type: 'integer' }, 'integer'],
  [{ Type: 'float' }, 'real'],
  [{ Type: 'decimal', Precision: 20, Scale: 2 }, 'decimal(20,2)'],
  [{ Type: 'timestamp' }, 'timestamp(3)'],
  [{ Type: 'timestamp with time zone' }, 'timestamp(3) with time zone'],
  [{ Type: 'time' }, 'time(3)'],
  [{ Type: 'interval day to second' }, 'interval day to second'],
  [{ Type: 'varbinary' }, 'varbinary'],
  [{ Type: 'array' }, 'array'],
  [{}, 'varchar'],
])('the type %j has the name %s', (info, type) => {
  expect(columnsOf([{ Name: 'a', ...info } as Parameters<typeof columnsOf>[0][number]])).toEqual([{ name: 'a', type }]);
});

it.each([
  ['-7', 'integer', -7],
  ['9223372036854775807', 'bigint', '9223372036854775807'],
  ['1.50', 'decimal(3,2)', '1.50'],
  ['1.0E300', 'double', 1e300],
  ['NaN', 'double', 'NaN'],
  ['Infinity', 'double', 'Infinity'],
  ['nan', 'double', 'NaN'],
  ['-inf', 'real', '-Infinity'],
  ['0.1', 'real', 0.1],
  ['0.10000000149011612', 'real', 0.1],
  ['true', 'boolean', true],
  ['2024-02-29 13:05:09.000', 'timestamp(3)', '2024-02-29 13:05:09'],
  ['2024-02-29 13:05:09.120', 'timestamp(3)', '2024-02-29 13:05:09.12'],
  ['2024-02-29 13:05:10', 'timestamp(3)', '2024-02-29 13:05:10'],
  ['2024-02-29 13:05:09.000 UTC', 'timestamp(3) with time zone', '2024-02-29 13:05:09 UTC'],
  ['2024-02-29 13:05:09.500 Europe/Berlin', 'timestamp(3) with time zone', '2024-02-29 13:05:09.5 Europe/Berlin'],
  ['2024-02-29 13:05:09.500000+00:00', 'timestamp(3)', '2024-02-29 13:05:09.5 UTC'],
  ['13:05:09.500+02:00', 'time(3) with time zone', '13:05:09.5+02:00'],
  ['41 00 ff', 'varbinary', String.raw`A\x00\xFF`],
  ['', 'varbinary', ''],
  [String.raw`b'A\x00\xff\n\\'`, 'varbinary', String.raw`A\x00\xFF\x0A\x5C`],
  [`b"'"`, 'varbinary', String.raw`\x27`],
  ['\uFEFFx', 'varchar', '\uFEFFx'],
  ['b.10', 'varchar', 'b.10'],
  [undefined, 'varchar', null],
])('the text %j of the type %s is the cell %j', (text, type, cell) => {
  expect(cellOf(text, type)).toBe(cell);
});
