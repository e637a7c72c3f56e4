import { readFileSync } from 'node:fs';
import { tableText } from './table-text.ts';
import { durationText } from './timeline.ts';

/** One test of vitest's JSON report. */
interface Assertion {
  readonly fullName: string;
  readonly status: string;
  readonly failureMessages?: readonly string[];
}

/** The part of vitest's JSON report that is read. */
interface Report {
  readonly startTime: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message?: string;
    readonly endTime: number;
    readonly assertionResults: readonly Assertion[];
  }[];
}

/** How long the tests of a project took. */
export interface ProjectTime {
  readonly project: string;
  readonly tests: number;
  readonly ms: number;
}

/** The result of a run of tests. */
export interface Tally {
  readonly passed: number;
  readonly failed: readonly string[];
  /** Names of skipped tests; the name holds the reason. */
  readonly skipped: readonly string[];
  /** One for each report, in the order given. */
  readonly times: readonly ProjectTime[];
}

/** Adds up vitest JSON reports. A report that cannot be read counts as one failure: tests that did not run did not pass. */
export function tallyOf(reports: readonly { readonly project: string; readonly path: string }[]): Tally {
  let passed = 0;
  const failed: string[] = [];
  const skipped: string[] = [];
  const times: ProjectTime[] = [];
  for (const { project, path } of reports) {
    let report: Report;
    try {
      report = JSON.parse(readFileSync(path, 'utf8')) as Report;
    } catch {
      failed.push(`${project}: its tests left no report`);
      continue;
    }
    const files = report.testResults;
    const tests = files.reduce((sum, file) => sum + file.assertionResults.length, 0);
    times.push({ project, tests, ms: Math.max(0, ...files.map(({ endTime }) => endTime - report.startTime)) });
    for (const file of files) {
      if (file.status === 'failed' && file.assertionResults.every(({ status }) => status !== 'failed'))
        failed.push(`${project}: ${file.name}: ${file.message?.split('\n')[0] ?? 'it could not be run'}`);
      for (const { fullName, status, failureMessages } of file.assertionResults) {
        const name = `${project}: ${fullName}`;
        if (status === 'passed') passed += 1;
        else if (status === 'failed') failed.push(`${name}\n      ${failureMessages?.[0]?.split('\n')[0] ?? ''}`.trimEnd());
        else skipped.push(name);
      }
    }
  }
  return { passed, failed, skipped, times };
}

/** The run in words; the last line is for machines. */
export function tallyText({ passed, failed, skipped, times }: Tally): string {
  const lines: string[] = [];
  const ran = times.filter(({ tests }) => tests > 0).toSorted((a, b) => b.ms - a.ms);
  if (ran.length > 0) {
    const rows = ran.map(({ project, tests, ms }) => [project, tests, durationText(ms)]);
    lines.push('Time of each project (of unchanged ones, when they last ran):', tableText(['project', 'tests', 'time'], rows), '');
  }
  if (skipped.length > 0) lines.push(`Skipped, each with its reason:`, ...skipped.map((name) => `  - ${name}`), '');
  if (failed.length > 0) lines.push('Failed:', ...failed.map((name) => `  ✗ ${name}`), '');
  lines.push(`${passed} passed, ${failed.length} failed`);
  return lines.join('\n');
}
