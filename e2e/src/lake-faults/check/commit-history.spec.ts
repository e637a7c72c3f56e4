import { expect, it } from 'vitest';
import { countCommits } from './commit-history.ts';

it('more rows are an append, the same rows in fewer files a merge, and no change an expiry', () => {
  const commits = [
    { files: 2, rows: 10 },
    { files: 8, rows: 40 },
    { files: 3, rows: 40 },
    { files: 3, rows: 40 },
    { files: 3, rows: 41 },
  ];
  expect(countCommits(commits)).toEqual({ appends: 3, merges: 1, expiries: 1 });
});
