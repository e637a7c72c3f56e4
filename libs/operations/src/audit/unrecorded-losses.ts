import type { AuditLoss, AuditReport } from '@millrace/lake';
import type { LogRange } from '../kafka/kafka-log.ts';

/**
 * The report with what the log no longer holds and has not landed. No entry tells of it before a lane comes there, so the table alone
 * looks complete.
 */
export function withUnrecordedLosses(report: AuditReport, ranges: readonly LogRange[]): AuditReport {
  const losses = ranges.flatMap(({ partition, low }): AuditLoss[] => {
    const lane = report.lanes.find((one) => one.partition === partition);
    const recordedTo = lane === undefined ? 0 : lane.spanned + lane.unlanded;
    if (low <= recordedTo) return [];
    return [{ kind: 'retention', partition, offsets: low - recordedTo, what: `Offsets [${recordedTo}, ${low}) of partition ${partition} are no longer in the log and not recorded yet: unless they wait in the spool of a sink, they are lost.` }];
  });
  if (losses.length === 0) return report;
  return {
    ...report,
    verdict: report.verdict === 'faulty' ? 'faulty' : 'losses',
    losses: [...losses, ...report.losses],
    lostOffsets: losses.reduce((sum, { offsets }) => sum + offsets, report.lostOffsets),
  };
}
