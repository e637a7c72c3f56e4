import { readFileSync } from 'node:fs';

/** One test, as vitest's JSON report tells it. */
interface Assertion {
  readonly fullName: string;
  readonly status: string;
  readonly failureMessages?: readonly string[];
}

/** What a run of tests came to. */
export interface Tally {
  readonly passed: number;
  readonly failed: readonly string[];
  /** Names of skipped tests; the name holds the reason. */
  readonly skipped: readonly string[];
}

/** Adds up vitest JSON reports. A report that cannot be read counts as one failure: tests that did not run did not pass. */
export function tallyOf(reports: readonly { readonly project: string; readonly path: string }[]): Tally {
  let passed = 0;
  const failed: string[] = [];
  const skipped: string[] = [];
  for (const { project, path } of reports) {
    let files: { name: string; status: string; message?: string; assertionResults: Assertion[] }[];
    try {
      files = (JSON.parse(readFileSync(path, 'utf8')) as { testResults: typeof files }).testResults;
    } catch {
      failed.push(`${project}: its tests left no report`);
      continue;
    }
    for (const file of files) {
      if (file.status === 'failed' && file.assertionResults.every(({ status }) => status !== 'failed')) failed.push(`${project}: ${file.name}: ${file.message?.split('\n')[0] ?? 'it could not be run'}`);
      for (const { fullName, status, failureMessages } of file.assertionResults) {
        const name = `${project}: ${fullName}`;
        if (status === 'passed') passed += 1;
        else if (status === 'failed') failed.push(`${name}\n      ${failureMessages?.[0]?.split('\n')[0] ?? ''}`.trimEnd());
        else skipped.push(name);
      }
    }
  }
  return { passed, failed, skipped };
}

/** The run in words; the last line is for machines. */
export function tallyText({ passed, failed, skipped }: Tally): string {
  const lines: string[] = [];
  if (skipped.length > 0) lines.push(`Skipped, each with its reason:`, ...skipped.map((name) => `  - ${name}`), '');
  if (failed.length > 0) lines.push('Failed:', ...failed.map((name) => `  ✗ ${name}`), '');
  lines.push(`${passed} passed, ${failed.length} failed`);
  return lines.join('\n');
}
