import type { AuditLoss, AuditReport } from '@millrace/lake';
import type { LogRange } from '../kafka/kafka-log.ts';

/**
 * Adds to a report the events that left the log before they landed. No entry records such a loss until a lane reaches it, so the table
 * alone looks complete.
 */
export function withUnrecordedLosses(report: AuditReport, ranges: readonly LogRange[]): AuditReport {
  const losses = ranges.flatMap(({ partition, low }): AuditLoss[] => {
    const lane = report.lanes.find((one) => one.partition === partition);
    const recordedTo = lane === undefined ? 0 : lane.spanned + lane.unlanded;
    if (low <= recordedTo) return [];
    return [
      {
        kind: 'retention',
        partition,
        offsets: low - recordedTo,
        what: `Offsets [${recordedTo}, ${low}) of partition ${partition} are no longer in the log and not recorded yet: they are lost, unless a sink has them in its spool.`,
      },
    ];
  });
  if (losses.length === 0) return report;
  return {
    ...report,
    verdict: report.verdict === 'faulty' ? 'faulty' : 'losses',
    losses: [...losses, ...report.losses],
    lostOffsets: losses.reduce((sum, { offsets }) => sum + offsets, report.lostOffsets),
  };
}
