import { describe, expect, it } from 'vitest';
import { cappedRows } from './tool-rows.ts';

const columns = [{ name: 'title', type: 'varchar' }];

describe('cappedRows', () => {
  it('a whole page is not truncated, and a page with a next one is', () => {
    expect(cappedRows({ columns, rows: [['a'], ['b']] })).toEqual({ columns, rows: [['a'], ['b']], truncated: false });
    expect(cappedRows({ columns, rows: [['a']], next: 'cursor' })).toEqual({ columns, rows: [['a']], truncated: true });
  });

  it('rows end where their text would exceed the limit, even before the first row', () => {
    const page = { columns, rows: [['aaaa'], ['bbbb'], ['cccc']] };
    expect(cappedRows(page, 20)).toEqual({ columns, rows: [['aaaa'], ['bbbb']], truncated: true });
    expect(cappedRows(page, 5)).toEqual({ columns, rows: [], truncated: true });
    expect(cappedRows(page, 27)).toMatchObject({ truncated: false });
  });
});
