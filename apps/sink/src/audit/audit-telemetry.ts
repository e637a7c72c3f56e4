import type { AuditReport } from '@millrace/lake';
import type { Metrics } from '@millrace/runtime';
import type { Logger } from 'pino';
import type { AuditObserver } from './audit-runs.ts';

/**
 * Turns audits into metrics and log lines. Before the first audit of a table with a ledger, only the age is exported. Until an audit
 * reaches a verdict, the age counts from the start of the process. So an alert on the age finds a process whose audits all fail.
 *
 * @param now milliseconds since the epoch
 * @param auditsByItself whether the sink audits at an interval; if not, no age is exported before the first audit
 */
export function auditTelemetry(logger: Logger, metrics: Metrics, now: () => number, auditsByItself: boolean): AuditObserver {
  const runs = metrics.counter({
    name: 'millrace_audit_runs_total',
    help: 'Audits of the table by result: the verdict, or the reason why the audit failed.',
    labelNames: ['result'],
  });
  let last: AuditReport | undefined;
  let verdictAt = auditsByItself ? now() : undefined;
  const read = (name: string, help: string, value: (report: AuditReport) => number): void =>
    metrics.observe(name, help, () => (last === undefined ? undefined : value(last)));
  read(
    'millrace_audit_complete',
    '1 if the last audit proved the table complete; 0 if events are lost or the audit found a fault.',
    (report) => Number(isComplete(report)),
  );
  read('millrace_audit_missing_offsets', 'Offsets that the last audit could not account for.', (report) => missingIn(report));
  read(
    'millrace_audit_lost_offsets',
    'Offsets known to be lost to the table, through retention or manual deletion.',
    (report) => report.lostOffsets,
  );
  read('millrace_audit_faults', 'Faults that the last audit found.', (report) => report.faultCount);
  metrics.observe(
    'millrace_audit_age_seconds',
    'Time since the last audit that reached a verdict; before the first, since the process started.',
    () => (verdictAt === undefined ? undefined : (now() - verdictAt) / 1000),
  );
  read('millrace_audit_duration_seconds', 'Duration of the last audit.', (report) => report.tookMs / 1000);
  return {
    finished(report) {
      runs.inc({ result: report.verdict });
      verdictAt = now();
      if (report.lanes.length > 0 || report.faultCount > 0 || last !== undefined) last = report;
      if (report.verdict === 'complete') {
        logger.debug({ type: 'AuditFinished', verdict: report.verdict, tookMs: report.tookMs }, 'The audit found the table complete.');
        return;
      }
      const [first] = [...report.faults, ...report.losses];
      logger.error(
        {
          type: 'AuditFinished',
          verdict: report.verdict,
          faults: report.faultCount,
          lostOffsets: report.lostOffsets,
          tookMs: report.tookMs,
        },
        `The audit found the table incomplete. ${first?.what ?? ''} Run ./millrace audit for details.`,
      );
    },
    failed(reason, error) {
      runs.inc({ result: reason });
      if (reason !== 'aborted')
        logger.warn({ type: 'AuditFailed', reason, err: error }, 'The audit of the table failed; the sink retries at the next interval.');
    },
  };
}

/** A table without a ledger does not count as complete. */
export function isComplete({ verdict, lanes }: AuditReport): boolean {
  return verdict === 'complete' && lanes.length > 0;
}

/** Offsets of the landed part that are neither rows nor otherwise accounted for. */
export function missingIn({ lanes }: AuditReport): number {
  return lanes.reduce(
    (sum, { spanned, rows, rejected, dropped, absent, lost, gap }) =>
      sum + Math.max(0, spanned - (rows + rejected + dropped + absent + lost + gap)),
    0,
  );
}
