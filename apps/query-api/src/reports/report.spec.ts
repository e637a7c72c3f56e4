import { purchases } from '@millrace/contracts';
import { describe, expect, it } from 'vitest';
import { QueryError } from '../errors.ts';
import { StatementGate } from '../statement/statement-gate.ts';
import { bindReport, type Report } from './report.ts';
import { reports } from './reports.ts';

const report: Report = {
  name: 'best-sellers',
  description: 'Titles of a genre sold most often.',
  parameters: [
    { name: 'genre', type: 'text', description: 'Genre', charactersMax: 5 },
    { name: 'since', type: 'date', description: 'First day', default: '2000-01-01' },
    { name: 'rows', type: 'integer', description: 'Titles', minimum: 1, maximum: 10, default: 3 },
  ],
  sql: 'SELECT title FROM purchases WHERE genre = ? AND dt >= ? AND ? <> title LIMIT ?',
  binds: ['genre', 'since', 'genre', 'rows'],
};

function fieldsRefused(given: Record<string, string | number | boolean | null>): unknown {
  try {
    bindReport(report, given);
  } catch (error) {
    if (error instanceof QueryError && error.code === 'validation') return error.errors;
    throw error;
  }
  throw new Error('was accepted');
}

describe('bindReport', () => {
  it('a report binds the given values and the defaults in the order of the statement', () => {
    expect(bindReport(report, { genre: 'Drama', rows: 1 })).toEqual({ sql: report.sql, parameters: ['Drama', '2000-01-01', 'Drama', 1] });
  });

  it('a report names every parameter that is missing, wrong or unknown', () => {
    expect(fieldsRefused({ since: '2019-02-29', rows: 11, limit: 5 })).toEqual([
      { field: 'parameters.genre', message: 'is required' },
      { field: 'parameters.since', message: 'must be a date, written YYYY-MM-DD' },
      { field: 'parameters.rows', message: 'must be a whole number from 1 to 10' },
      { field: 'parameters.limit', message: 'is not a parameter of the report best-sellers, which has genre, since, rows' },
    ]);
  });

  it.each([
    [{ genre: 'Drama!' }, 'genre'],
    [{ genre: null }, 'genre'],
    [{ genre: 'a\0' }, 'genre'],
    [{ genre: '\uD800' }, 'genre'],
    [{ genre: 'a', since: 20190101 }, 'since'],
    [{ genre: 'a', since: '2019-01-01 ' }, 'since'],
    [{ genre: 'a', since: "2019-01-01' OR 1=1 --" }, 'since'],
    [{ genre: 'a', rows: 1.5 }, 'rows'],
    [{ genre: 'a', rows: '3' }, 'rows'],
    [{ genre: 'a', rows: true }, 'rows'],
    [{ genre: 'a', constructor: 1 }, 'constructor'],
  ])('a report refuses the parameters %j', (given, field) => {
    expect(fieldsRefused(given as Record<string, string>)).toMatchObject([{ field: `parameters.${field}` }]);
  });
});

describe('the published reports', () => {
  it.each(reports)('the report $name passes the gate and binds a value to each of its placeholders', async (published) => {
    const gate = await StatementGate.create({ database: purchases.database, tables: [purchases.table] });
    try {
      const { placeholders } = await gate.check(published.sql);
      expect(published.binds).toHaveLength(placeholders.length);
      expect(new Set(published.binds)).toEqual(new Set(published.parameters.map(({ name }) => name)));
    } finally {
      gate.close();
    }
  });
});
