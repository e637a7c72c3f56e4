import { counted, grouped, lasted } from '../numbers.ts';
import type { OperatorContext } from '../operator-context.ts';
import type { Comparison } from './compare-tables.ts';

/** What a replay found and did. */
export interface ReplayReport extends Comparison {
  readonly v: 1;
  /** The live table, and its replay: prefixes in the bucket. */
  readonly table: string;
  readonly replay: string;
  readonly topic: string;
  /** The part that was replayed, by the time at which Kafka took the events; absent: all. */
  readonly from?: string;
  readonly to?: string;
  /** Compared were the offsets [from, to); below `low` the log has nothing any more. */
  readonly partitions: readonly { readonly partition: number; readonly low: number; readonly from: number; readonly to: number }[];
  readonly comparedOffsets: number;
  /** Offsets that the log lost before they could be replayed. */
  readonly notReplayableOffsets: number;
  /** Whether the comparison is empty. */
  readonly equal: boolean;
  /** Whether the catalog points at the replay now. */
  readonly switched: boolean;
  readonly tookMs: number;
}

/** A replay as a person reads it. `limit` is the most differing rows shown. */
export function replayText(report: ReplayReport, limit: number, { table, out }: Pick<OperatorContext, 'table' | 'out'>): string[] {
  const { days, differences, differing, notReplayable, notReplayableOffsets } = report;
  const lines = [
    out.bold(report.equal ? `The replay is equal: ${counted(report.comparedOffsets, 'event')} compared, no row differs.` : `The replay differs: ${counted(differing, 'row')} of ${counted(report.comparedOffsets, 'event')} ${differing === 1 ? 'is' : 'are'} in one table and not in the other.`),
    `  live ${report.table}, replay ${report.replay}, from ${report.topic}${report.from === undefined && report.to === undefined ? '' : ` (${report.from ?? 'its start'} to ${report.to ?? 'its end'})`}`,
    '',
    table(
      ['dt', 'live rows', 'replay rows', 'live events', 'replay events', 'only live', 'only replay'],
      days.map(({ dt, ...counts }) => [dt, grouped(counts.liveRows), grouped(counts.replayRows), grouped(counts.liveEvents), grouped(counts.replayEvents), grouped(counts.onlyLive), grouped(counts.onlyReplay)]),
    ),
  ];
  if (notReplayableOffsets > 0) {
    lines.push('', `Not replayable: ${counted(notReplayableOffsets, 'offset')} that the topic no longer holds; ${grouped(notReplayable)} of them are live rows. They are no difference, and the replay lacks them.`);
  }
  if (differences.length > 0) {
    lines.push('', out.bold('Rows that differ'), table(['only in', 'dt', 'partition', 'offset', 'event'], differences.slice(0, limit).map(({ side, dt, partition, offset, eventId }) => [side, dt, String(partition), grouped(offset), eventId])));
    if (differing > limit) lines.push(`  … and ${grouped(differing - limit)} more; --limit shows more, --json has a thousand.`);
  }
  lines.push('', `Took ${lasted(report.tookMs)}.`);
  return lines;
}
