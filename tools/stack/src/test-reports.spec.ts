import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { tallyOf, tallyText } from './test-reports.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-reports-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, testResults: readonly object[], ms = 1000): { project: string; path: string } {
  const results = testResults.map((file) => ({ endTime: 5000 + ms, ...file }));
  writeFileSync(join(folder, name), JSON.stringify({ startTime: 5000, testResults: results }));
  return { project: name, path: join(folder, name) };
}

it('reports are summed, and skipped and failed tests are listed by name', () => {
  const one = write('one', [
    {
      name: 'a',
      status: 'failed',
      assertionResults: [
        { fullName: 'works', status: 'passed' },
        { fullName: 'breaks', status: 'failed', failureMessages: ['no\nat x'] },
      ],
    },
  ]);
  const two = write(
    'two',
    [
      {
        name: 'b',
        status: 'passed',
        assertionResults: [
          { fullName: 'works', status: 'passed' },
          { fullName: 'waits (no Trino here)', status: 'skipped' },
        ],
      },
    ],
    61_000,
  );
  const tally = tallyOf([one, two]);
  expect(tally.passed).toBe(2);
  const [times, rest] = [tallyText(tally).split('\n').slice(0, 6), tallyText(tally).split('\n').slice(6)];
  expect(times).toEqual([
    'Time of each project (of unchanged ones, when they last ran):',
    'project  tests  time',
    '───────  ─────  ─────────',
    'two          2  1 min 1 s',
    'one          2  1.0 s',
    '',
  ]);
  expect(rest.join('\n')).toBe(
    [
      'Skipped, each with its reason:',
      '  - two: waits (no Trino here)',
      '',
      'Failed:',
      '  ✗ one: breaks\n      no',
      '',
      '2 passed, 1 failed',
    ].join('\n'),
  );
});

it('a file that did not run and a missing report count as failures', () => {
  const broken = write('broken', [{ name: 'x.spec.ts', status: 'failed', message: 'SyntaxError: oops\n at', assertionResults: [] }]);
  expect(tallyOf([broken, { project: 'gone', path: join(folder, 'gone') }]).failed).toEqual([
    'broken: x.spec.ts: SyntaxError: oops',
    'gone: its tests left no report',
  ]);
});
