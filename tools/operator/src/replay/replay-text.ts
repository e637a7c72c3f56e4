import { counted, grouped, type ReplayReport } from '@millrace/operations';
import { lasted } from '../numbers.ts';
import type { OperatorContext } from '../operator-context.ts';

/**
 * Formats the report of a replay for a person.
 *
 * @param limit maximum number of differing rows, ≥ 0
 */
export function replayText(report: ReplayReport, limit: number, { table, out }: Pick<OperatorContext, 'table' | 'out'>): string[] {
  const { days, differences, differing, notReplayable, notReplayableOffsets } = report;
  const lines = [
    out.bold(
      report.equal
        ? `The replay is equal: ${counted(report.comparedOffsets, 'event')} compared, no row differs.`
        : `The replay differs: ${counted(differing, 'row')} of ${counted(report.comparedOffsets, 'event')} ${differing === 1 ? 'is' : 'are'} in one table and not in the other.`,
    ),
    `  live ${report.table}, replay ${report.replay}, from ${report.topic}${report.from === undefined && report.to === undefined ? '' : ` (${report.from ?? 'its start'} to ${report.to ?? 'its end'})`}`,
    '',
    table(
      ['dt', 'live rows', 'replay rows', 'live events', 'replay events', 'only live', 'only replay'],
      days.map(({ dt, ...counts }) => [
        dt,
        grouped(counts.liveRows),
        grouped(counts.replayRows),
        grouped(counts.liveEvents),
        grouped(counts.replayEvents),
        grouped(counts.onlyLive),
        grouped(counts.onlyReplay),
      ]),
    ),
  ];
  if (notReplayableOffsets > 0) {
    lines.push(
      '',
      `Not replayable: ${counted(notReplayableOffsets, 'offset')} that the topic no longer has; ${grouped(notReplayable)} of them are live rows. They do not count as a difference, and the replay lacks them.`,
    );
  }
  if (differences.length > 0) {
    lines.push(
      '',
      out.bold('Rows that differ'),
      table(
        ['only in', 'dt', 'partition', 'offset', 'event'],
        differences
          .slice(0, limit)
          .map(({ side, dt, partition, offset, eventId }) => [side, dt, String(partition), grouped(offset), eventId]),
      ),
    );
    if (differing > limit) lines.push(`  … and ${grouped(differing - limit)} more; --limit shows more, --json has a thousand.`);
  }
  lines.push('', `Took ${lasted(report.tookMs)}.`);
  return lines;
}
