import { describe, expect, it } from 'vitest';
import { athenaColumn, athenaText, type TrinoType } from './athena-values.ts';
import { quoteLongIntegers } from './trino-run.ts';

const bigint: TrinoType = { rawType: 'bigint' };
const part = (value: unknown): { kind: string; value: unknown } => ({ kind: 'TYPE', value });

function field(name: string, typeSignature: TrinoType): { kind: string; value: unknown } {
  return { kind: 'NAMED_TYPE', value: { fieldName: { name }, typeSignature } };
}

describe('values of the local Athena', () => {
  it.each([
    [true, { rawType: 'boolean' }, 'true'],
    ['Qf8=', { rawType: 'varbinary' }, '41 ff'],
    ['', { rawType: 'varbinary' }, ''],
    ['1.50', { rawType: 'decimal' }, '1.50'],
    [[1, null, 3], { rawType: 'array', arguments: [part(bigint)] }, '[1, null, 3]'],
    [{ k: '9007199254740993' }, { rawType: 'map', arguments: [part({ rawType: 'varchar' }), part(bigint)] }, '{k=9007199254740993}'],
    [null, bigint, undefined],
  ] as const)('the value %j of the type %j has the text %s', (value, type, text) => {
    expect(athenaText(value, type)).toBe(text);
  });

  it('a row has the names of its fields', () => {
    const type = { rawType: 'row', arguments: [field('n', bigint), field('t', { rawType: 'varchar' })] };
    expect(athenaText([1, 'x'], type)).toBe('{n=1, t=x}');
  });

  it('a decimal column has precision and scale, and a nested column has no parts', () => {
    const decimal = {
      rawType: 'decimal',
      arguments: [
        { kind: 'LONG', value: 10 },
        { kind: 'LONG', value: 2 },
      ],
    };
    expect(athenaColumn('a', decimal)).toEqual({ Name: 'a', Type: 'decimal', Precision: 10, Scale: 2 });
    expect(athenaColumn('a', { rawType: 'array', arguments: [part(bigint)] })).toMatchObject({ Type: 'array' });
  });

  it('an integer beyond 2^53 keeps its digits, and text keeps its own', () => {
    const json = '[9223372036854775807,-9007199254740993,1.2345678901234567,"1234567890123456",1234567890123456e2]';
    expect(JSON.parse(quoteLongIntegers(json))).toEqual([
      '9223372036854775807',
      '-9007199254740993',
      1.2345678901234567,
      '1234567890123456',
      1234567890123456e2,
    ]);
  });
});
