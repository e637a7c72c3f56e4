import { describe, expect, it } from 'vitest';
import type { ResultColumn, ResultRow } from '../../engines/query-engine.ts';
import { csv, ndjson } from './text-formats.ts';

const columns = (...names: string[]): ResultColumn[] => names.map((name) => ({ name, type: 'varchar' }));

describe('CSV', () => {
  it.each<[string, ResultRow[], string]>([
    ['NULL of one column is a quoted field, so that its line is not empty', [['a'], [null], [''], ['b']], 'a\r\n""\r\n""\r\nb\r\n'],
    [
      'NULL of several columns is an empty field and an empty text a quoted one',
      [
        [null, ''],
        ['', null],
        [null, null],
      ],
      ',""\r\n"",\r\n,\r\n',
    ],
    [
      'a line break, a carriage return, a quote and a comma are quoted',
      [
        ['a\nb', 'a\r'],
        ['"', ','],
      ],
      '"a\nb","a\r"\r\n"""",","\r\n',
    ],
    ['U+FEFF at an end is quoted', [['\uFEFFa', 'b\uFEFFc']], '"\uFEFFa",b\uFEFFc\r\n'],
    [
      'text of spaces, or with spaces around it, is quoted',
      [
        [' ', '\t'],
        [' a', 'a b'],
      ],
      '" ","\t"\r\n" a",a b\r\n',
    ],
    [
      'numbers and booleans are unchanged',
      [
        [1.5, true],
        [-0.25, false],
      ],
      '1.5,true\r\n-0.25,false\r\n',
    ],
    ['a result without rows has no lines', [], ''],
  ])('%s', (_what, rows, text) => {
    expect(csv.rows(columns(...(rows[0] ?? ['a']).map(String)), rows)).toBe(text);
  });

  it.each([
    [['a', 'b'], 'a,b\r\n'],
    [['count(*)', 'a "b", c'], 'count(*),"a ""b"", c"\r\n'],
    [['\uFEFFa'], '"\uFEFFa"\r\n'],
    [[''], '""\r\n'],
    [['a\nb', 'ä'], '"a\nb",ä\r\n'],
  ])('the header of %j is quoted where it must be', (names, header) => {
    expect(csv.header(columns(...names))).toBe(header);
  });
});

describe('NDJSON', () => {
  it('NDJSON keeps the order of the columns, whatever their names are', () => {
    expect(ndjson.rows(columns('b', '10', '2', '__proto__', 'a"'), [[null, 'x', 1, true, '\uFEFF']])).toBe(
      '{"b":null,"10":"x","2":1,"__proto__":true,"a\\"":"\uFEFF"}\n',
    );
  });
});
