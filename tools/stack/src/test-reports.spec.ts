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

function write(name: string, testResults: unknown): { project: string; path: string } {
  writeFileSync(join(folder, name), JSON.stringify({ testResults }));
  return { project: name, path: join(folder, name) };
}

it('adds reports up, and lists skipped and failed tests by name', () => {
  const one = write('one', [{ name: 'a', status: 'failed', assertionResults: [{ fullName: 'works', status: 'passed' }, { fullName: 'breaks', status: 'failed', failureMessages: ['no\nat x'] }] }]);
  const two = write('two', [{ name: 'b', status: 'passed', assertionResults: [{ fullName: 'works', status: 'passed' }, { fullName: 'waits (no Trino here)', status: 'skipped' }] }]);
  const tally = tallyOf([one, two]);
  expect(tally.passed).toBe(2);
  expect(tallyText(tally)).toBe(['Skipped, each with its reason:', '  - two: waits (no Trino here)', '', 'Failed:', '  ✗ one: breaks\n      no', '', '2 passed, 1 failed'].join('\n'));
});

it('counts a file that could not be run and a missing report as failures', () => {
  const broken = write('broken', [{ name: 'x.spec.ts', status: 'failed', message: 'SyntaxError: oops\n at', assertionResults: [] }]);
  expect(tallyOf([broken, { project: 'gone', path: join(folder, 'gone') }]).failed).toEqual(['broken: x.spec.ts: SyntaxError: oops', 'gone: its tests left no report']);
});
