import { expect, it } from 'vitest';
import { countCommits } from './commit-history.ts';

it('a commit with more rows is an append, one with the same rows and fewer files is a merge, and one without a change is an expiry', () => {
  const commits = [
    { files: 2, rows: 10 },
    { files: 8, rows: 40 },
    { files: 3, rows: 40 },
    { files: 3, rows: 40 },
    { files: 3, rows: 41 },
  ];
  expect(countCommits(commits)).toEqual({ appends: 3, merges: 1, expiries: 1 });
});
