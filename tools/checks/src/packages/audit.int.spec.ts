import { execFile } from 'node:child_process';
import { expect, it } from 'vitest';
import { repository } from '../repository.ts';

interface AuditReport {
  readonly auditReportVersion?: number;
  readonly vulnerabilities?: Readonly<Record<string, { readonly severity: string }>>;
}

/** The report of the registry; without a version if the registry answers no audits. */
const report = await new Promise<AuditReport>((resolve, reject) => {
  execFile('npm', ['audit', '--omit=dev', '--json', '--fetch-timeout=20000', '--fetch-retries=1'], { cwd: repository }, (error, stdout) => {
    // The exit code is 1 for a finding and for a refusal alike.
    try {
      resolve(JSON.parse(stdout) as AuditReport);
    } catch {
      reject(error ?? new Error(stdout));
    }
  });
});

it.skipIf(report.auditReportVersion === undefined)(
  `no package of a service has a known fault of high or critical severity${
    report.auditReportVersion === undefined ? ' (skipped: the registry answers no audit)' : ''
  }`,
  () => {
    const found = Object.entries(report.vulnerabilities ?? {}).filter(([, { severity }]) => severity === 'high' || severity === 'critical');
    expect(found.map(([name]) => name)).toEqual([]);
  },
);
