import type { AuditReport } from '@millrace/lake';
import type { Metrics } from '@millrace/runtime';
import type { Logger } from 'pino';
import type { AuditObserver } from './audit-runs.ts';

/**
 * Turns audits into metrics and log lines. Before the first audit of a table with a ledger there is no figure but the age: a process
 * whose audits never come to a verdict counts from its start, so that an alert on the age finds it.
 *
 * @param now milliseconds since the epoch
 * @param auditsByItself whether audits are made at an interval; when they are not, none is awaited
 */
export function auditTelemetry(logger: Logger, metrics: Metrics, now: () => number, auditsByItself: boolean): AuditObserver {
  const runs = metrics.counter({ name: 'millrace_audit_runs_total', help: 'Audits of the table by how they ended: a verdict, or why there is none.', labelNames: ['result'] });
  let last: AuditReport | undefined;
  let verdictAt = auditsByItself ? now() : undefined;
  const optional = (name: string, help: string, value: () => number | undefined): void => {
    const gauge = metrics.gauge({
      name,
      help,
      collect() {
        const figure = value();
        // A gauge begins at 0, which here would be a verdict.
        if (figure === undefined) gauge.remove();
        else gauge.set(figure);
      },
    });
  };
  const read = (name: string, help: string, value: (report: AuditReport) => number): void => optional(name, help, () => (last === undefined ? undefined : value(last)));
  read('millrace_audit_complete', 'Whether the last audit proved the table complete: 1, or 0 when something is lost or does not add up.', (report) => Number(isComplete(report)));
  read('millrace_audit_missing_offsets', 'Offsets that the last audit found accounted for nowhere.', (report) => missingIn(report));
  read('millrace_audit_lost_offsets', 'Offsets known to be lost to the table, by retention or by hand.', (report) => report.lostOffsets);
  read('millrace_audit_faults', 'What did not add up in the last audit.', (report) => report.faultCount);
  optional('millrace_audit_age_seconds', 'Time since the last audit that came to a verdict; before the first, since the process started.', () => (verdictAt === undefined ? undefined : (now() - verdictAt) / 1000));
  read('millrace_audit_duration_seconds', 'Time the last audit took.', (report) => report.tookMs / 1000);
  return {
    finished(report) {
      runs.inc({ result: report.verdict });
      verdictAt = now();
      if (report.lanes.length > 0 || report.faultCount > 0 || last !== undefined) last = report;
      if (report.verdict === 'complete') {
        logger.debug({ type: 'AuditFinished', verdict: report.verdict, tookMs: report.tookMs }, 'The table was audited: it is complete.');
        return;
      }
      const [first] = [...report.faults, ...report.losses];
      logger.error({ type: 'AuditFinished', verdict: report.verdict, faults: report.faultCount, lostOffsets: report.lostOffsets, tookMs: report.tookMs }, `The table was audited: it is not complete. ${first?.what ?? ''} ./millrace audit says more.`);
    },
    failed(reason, error) {
      runs.inc({ result: reason });
      if (reason !== 'aborted') logger.warn({ type: 'AuditFailed', reason, err: error }, 'The table could not be audited; it is tried again at the next interval.');
    },
  };
}

/** A table without a ledger has nothing that could be complete. */
export function isComplete({ verdict, lanes }: AuditReport): boolean {
  return verdict === 'complete' && lanes.length > 0;
}

/** Offsets of the landed part that are neither rows nor told otherwise. */
export function missingIn({ lanes }: AuditReport): number {
  return lanes.reduce((sum, { spanned, rows, rejected, dropped, absent, lost, gap }) => sum + Math.max(0, spanned - (rows + rejected + dropped + absent + lost + gap)), 0);
}
