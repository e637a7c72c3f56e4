import { describe, expect, it } from 'vitest';
import { columnsOfFooter } from './parquet-columns.ts';
import { columnDifferences, holds, mergeColumns, widened } from './schema-difference.ts';

const column = (name: string, type: string): { name: string; type: string } => ({ name, type });

describe('the columns of files and of the catalog', () => {
  it('are equal where the catalog holds every value of the files', () => {
    const found = mergeColumns([[column('a', 'int'), column('b', 'string')], [column('a', 'bigint')]]);
    expect(columnDifferences(found, [column('A', 'bigint'), column('b', 'STRING')])).toEqual([]);
  });

  it('differ by new, wider, absent and other types', () => {
    const found = mergeColumns([
      [column('new', 'date'), column('wide', 'int'), column('other', 'string'), column('mixed', 'int'), column('deep', 'nested')],
      [column('wide', 'bigint'), column('mixed', 'string')],
    ]);
    const catalog = [column('gone', 'int'), column('wide', 'int'), column('other', 'int'), column('deep', 'array<int>')];
    const differences = columnDifferences(found, catalog);
    expect(differences).toEqual([
      { kind: 'column-added', column: 'new', found: 'date' },
      { kind: 'column-widened', column: 'wide', found: 'bigint, int', catalog: 'int' },
      { kind: 'column-changed', column: 'other', found: 'string', catalog: 'int' },
      { kind: 'column-changed', column: 'mixed', found: 'int, string' },
      { kind: 'column-absent', column: 'gone', catalog: 'int' },
    ]);
    expect(widened(catalog, differences)).toEqual([
      column('gone', 'int'),
      column('wide', 'bigint'),
      column('other', 'int'),
      column('deep', 'array<int>'),
      column('new', 'date'),
    ]);
  });

  it.each([
    ['bigint', 'int', true],
    ['int', 'bigint', false],
    ['double', 'float', true],
    ['double', 'int', false],
    ['string', 'int', false],
    ['decimal(12,2)', 'decimal(10,2)', true],
    ['decimal(12,3)', 'decimal(10,2)', false],
    ['timestamp', 'date', false],
  ])('%s holds %s: %s', (wide, narrow, expected) => {
    expect(holds(wide, narrow)).toBe(expected);
  });
});

it('the columns of a footer have the types of Glue, without hidden and nested ones', () => {
  const schema = [
    { name: 'root', num_children: 7 },
    { name: 'id', type: 'BYTE_ARRAY', converted_type: 'UTF8' },
    { name: 'raw', type: 'BYTE_ARRAY' },
    { name: 'Age', type: 'INT32' },
    { name: 'at', type: 'INT64', logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: false, unit: 'MICROS' } },
    { name: 'price', type: 'FIXED_LEN_BYTE_ARRAY', converted_type: 'DECIMAL', precision: 10, scale: 2 },
    { name: 'tags', num_children: 1 },
    { name: 'list', num_children: 1, repetition_type: 'REPEATED' },
    { name: 'element', type: 'INT32' },
    { name: '_offset', type: 'INT64' },
  ] as Parameters<typeof columnsOfFooter>[0]['schema'];
  expect(columnsOfFooter({ schema })).toEqual([
    column('id', 'string'),
    column('raw', 'binary'),
    column('age', 'int'),
    column('at', 'timestamp'),
    column('price', 'decimal(10,2)'),
    column('tags', 'nested'),
  ]);
});
