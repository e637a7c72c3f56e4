import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '@millrace/runtime';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { QueryError } from '../errors.ts';
import { parseReport } from './report-file.ts';
import { allReports, checkReports, readReports, reportLimits, reports } from './reports.ts';

const text = `-- Titles of a genre sold most often.
-- The newest first.
-- :genre text 5: Genre
-- :note text 9 = 'it''s :x': Note
-- :since date = 2000-01-01: First day
-- :rows integer 1..10 = 3: Titles

SELECT title, ':genre' AS a, ":rows" AS b, x::INTEGER AS c -- :genre
FROM purchases WHERE genre = :genre AND dt >= :since AND :genre <> :note LIMIT :rows;
`;

describe('parseReport', () => {
  it('a report file gives description, parameters with limits and defaults, and a ? for each placeholder', () => {
    expect(parseReport('best', text)).toEqual({
      name: 'best',
      description: 'Titles of a genre sold most often. The newest first.',
      parameters: [
        { name: 'genre', type: 'text', description: 'Genre', charactersMax: 5 },
        { name: 'note', type: 'text', description: 'Note', charactersMax: 9, default: "it's :x" },
        { name: 'since', type: 'date', description: 'First day', default: '2000-01-01' },
        { name: 'rows', type: 'integer', description: 'Titles', minimum: 1, maximum: 10, default: 3 },
      ],
      sql:
        `SELECT title, ':genre' AS a, ":rows" AS b, x::INTEGER AS c -- :genre\n` +
        `FROM purchases WHERE genre = ? AND dt >= ? AND ? <> ? LIMIT ?`,
      binds: ['genre', 'since', 'genre', 'note', 'rows'],
    });
  });

  it.each([
    ['-- D\nSELECT :x', ':x has no line'],
    ['-- D\n-- :x date: X\nSELECT 1', 'does not use the parameter x'],
    ['-- D\n-- :x number: X\nSELECT :x', 'must be ":<name> <type>'],
    ['-- D\n-- :x integer 5..1: X\nSELECT :x', 'not above its maximum'],
    ['-- D\n-- :x integer 1..5 = many: X\nSELECT :x', 'a whole number as its default'],
    ['-- D\n-- :x date: X\n-- :x date: Y\nSELECT :x', 'declared twice'],
    ['SELECT 1', 'a comment that describes the report'],
    ['-- D\n', 'no statement'],
  ])('the report file %j is refused with the reason', (wrong, reason) => {
    expect(() => parseReport('wrong', wrong)).toThrowError(reason);
  });
});

describe('a folder of reports', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'reports-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const put = (file: string, content: string): void => writeFileSync(join(folder, file), content);

  it('a folder adds its reports to those of this version', () => {
    put('best.sql', text);
    put('README.md', 'not a report');
    expect(allReports(folder).map(({ name }) => name)).toEqual([...reports.map(({ name }) => name), 'best']);
  });

  it('every file at fault in a folder is named at once', () => {
    put('Best.sql', text);
    put('large.sql', `-- D\nSELECT '${'x'.repeat(reportLimits.fileBytesMax)}'`);
    put('range.sql', '-- D\n-- :n integer 1..5 = 9: N\nSELECT :n');
    const problems = problemsOf(() => readReports(folder));
    expect(problems).toHaveLength(3);
    expect(problems).toEqual(
      expect.arrayContaining([
        expect.stringContaining('lower-case letters'),
        expect.stringContaining(`the limit is ${reportLimits.fileBytesMax}`),
        'The report range.sql: the default of n must be a whole number from 1 to 5.',
      ]),
    );
  });

  it('a folder cannot replace a report of this version, and must exist', () => {
    put('top-books.sql', '-- D\nSELECT 1');
    expect(problemsOf(() => allReports(folder))).toEqual(['The report top-books.sql has the name of a report of this version.']);
    expect(problemsOf(() => allReports(join(folder, 'missing')))[0]).toContain('cannot be read');
  });

  it('a folder must hold statements that the gate lets pass', async () => {
    put('drop.sql', '-- D\nDROP TABLE purchases');
    await expect(checkReports(readReports(folder), refusing)).rejects.toMatchObject({
      problems: ['The report drop.sql: only a SELECT is allowed'],
    });
  });
});

const refusing = {
  check: async (): Promise<never> => await Promise.reject(new QueryError('statement-not-allowed', 'only a SELECT is allowed')),
};

function problemsOf(run: () => unknown): readonly string[] {
  try {
    run();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  throw new Error('was accepted');
}
