import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { ResultRow } from '../../engines/query-engine.ts';
import { csv } from './text-formats.ts';

/** Reads as most programs do: by names, with the file decoded as UTF-8 that may begin with a byte-order mark. */
const program = `
import csv, io, json, sys
text = io.TextIOWrapper(sys.stdin.buffer, encoding='utf-8-sig', newline='')
reader = csv.DictReader(text)
print(json.dumps({'names': reader.fieldnames, 'rows': [[row[name] for name in reader.fieldnames] for row in reader]}))
`;

function readByPython(text: string): { names: string[]; rows: string[][] } {
  return JSON.parse(execFileSync('python3', ['-c', program], { input: text, encoding: 'utf8' })) as { names: string[]; rows: string[][] };
}

describe('CSV in Python', () => {
  it.each<[string, string[], ResultRow[]]>([
    ['of one column with NULL', ['genre'], [['a'], [null], ['b'], [''], [null]]],
    ['of one column without anything', ['genre'], [[null], [null]]],
    [
      'of two columns with NULL',
      ['a', 'b'],
      [
        [null, null],
        ['', null],
        [null, ''],
      ],
    ],
    ['with line breaks and quotes', ['a'], [['x\ny'], ['x\r\ny'], ['x\ry'], ['"'], ['""'], ['\n'], [',']]],
    ['with spaces', ['a'], [[' '], ['\t'], [' a '], ['\u00A0']]],
    ['with U+FEFF', ['\uFEFFa', 'b'], [['\uFEFF', '\uFEFFx']]],
    ['under names with special characters', ['a,b', 'c"d', 'e\nf', 'count(*)', 'ü'], [[1, 2.5, true, '\u2028', '📚']]],
    ['of a result without rows', ['a', 'b'], []],
  ])("Python's csv reads back each row %s", (_what, names, rows) => {
    const columns = names.map((name) => ({ name, type: 'varchar' }));
    const read = readByPython(csv.header(columns) + csv.rows(columns, rows));
    expect(read).toEqual({ names, rows: rows.map((row) => row.map((cell) => String(cell ?? ''))) });
  });
});
