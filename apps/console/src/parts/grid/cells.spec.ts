import { describe, expect, it } from 'vitest';
import { filterRows, isNumeric, shortText, sortRows } from './cells.ts';

describe('the cells of a grid', () => {
  it('64-bit integers are sorted exactly, and NULL is last in both directions', () => {
    const rows = [['9007199254740993'], [null], ['-5'], ['9007199254740992']];
    expect(sortRows(rows, 0, 'bigint', false)).toEqual([['-5'], ['9007199254740992'], ['9007199254740993'], [null]]);
    expect(sortRows(rows, 0, 'bigint', true)).toEqual([['9007199254740993'], ['9007199254740992'], ['-5'], [null]]);
  });

  it('decimals with other numbers of digits are sorted by their value', () => {
    expect(sortRows([['10.5'], ['9.25'], ['-0.5'], ['-0.25']], 0, 'decimal(10,2)', false)).toEqual([
      ['-0.5'],
      ['-0.25'],
      ['9.25'],
      ['10.5'],
    ]);
  });

  it('doubles are sorted as numbers, infinity included', () => {
    expect(sortRows([[10], ['Infinity'], [9.5], [1e300]], 0, 'double', false)).toEqual([[9.5], [10], [1e300], ['Infinity']]);
  });

  it('texts are sorted by their code units', () => {
    expect(sortRows([['b'], ['B'], ['a']], 0, 'varchar', false)).toEqual([['B'], ['a'], ['b']]);
  });

  it('a filter finds a text in any cell and in any case', () => {
    const rows = [
      ['Orlando', 1],
      [null, 21],
    ];
    expect(filterRows(rows, 'orl')).toEqual([rows[0]]);
    expect(filterRows(rows, '1')).toEqual(rows);
    expect(filterRows(rows, 'null')).toEqual([]);
  });

  it('a long text is cut between characters', () => {
    expect(shortText('short')).toBe('short');
    const cut = shortText('😀'.repeat(400));
    expect(cut).toBe(`${'😀'.repeat(149)}…`);
  });

  it('numbers are known by their type', () => {
    expect(['bigint', 'decimal(38,0)', 'double', 'varchar', 'timestamp(6)', 'array(bigint)'].map(isNumeric)).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});
