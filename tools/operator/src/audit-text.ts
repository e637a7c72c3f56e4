import type { AuditReport, LaneAudit } from '@millrace/lake';
import { counted, grouped, type LogRange } from '@millrace/operations';
import { lasted, sized } from './numbers.ts';
import type { OperatorContext } from './operator-context.ts';

/** Maximum number of faults and losses on the screen. `--json` has a thousand. */
const shownMax = 20;

/**
 * Formats an audit report for a person.
 *
 * @param log offsets of the topic. Absent when Kafka does not answer
 */
export function auditText(
  report: AuditReport,
  { table, out }: Pick<OperatorContext, 'table' | 'out'>,
  log?: readonly LogRange[],
): string[] {
  const logEnds = log === undefined ? undefined : new Map(log.map(({ partition, high }) => [partition, high]));
  const columns = [
    'partition',
    'landed',
    ...(logEnds === undefined ? [] : ['behind']),
    'rows',
    'rejected',
    'duplicates',
    'absent',
    'lost',
    'gaps',
    'files',
    'size',
  ];
  const behindOf = (lane: LaneAudit): number | undefined =>
    logEnds === undefined ? undefined : Math.max(0, (logEnds.get(lane.partition) ?? 0) - lane.spanned);
  const rows = report.lanes.map((lane) => rowOf(String(lane.partition), lane, behindOf(lane)));
  const sum = totalOf(report);
  if (rows.length > 1)
    rows.push(rowOf('all', sum, logEnds === undefined ? undefined : report.lanes.reduce((total, lane) => total + behindOf(lane)!, 0)));
  const lines = [out.bold(`Table ${report.table}: ${verdictText(report, sum)}`), '', table(columns, rows), ''];
  const fromCheckpoints = sum.files - sum.filesRead;
  lines.push(
    report.deep
      ? `Every entry and every byte was read: ${counted(sum.files, 'file')}, ${sized(sum.bytes)}.`
      : `${counted(sum.filesRead, 'file')} ${sum.filesRead === 1 ? 'was' : 'were'} read by footer${fromCheckpoints > 0 ? `; ${grouped(fromCheckpoints)} more exist with the sizes in the checkpoints` : ''}. --deep reads every byte.`,
  );
  if (sum.unlanded > 0)
    lines.push(`${counted(sum.unlanded, 'offset')} more ${sum.unlanded === 1 ? 'is' : 'are'} recorded and landing now.`);
  if (report.catalog !== undefined)
    lines.push(
      `Catalog: ${counted(report.catalog.registered, 'partition')} registered${report.catalog.missing.length === 0 ? ', none missing' : `, ${report.catalog.missing.length} missing`}${report.catalog.empty.length === 0 ? '' : `, ${report.catalog.empty.length} without a file`}.`,
    );
  if (report.projection !== undefined) {
    const { commit, files, bytes, comparedRows, ...compared } = report.projection;
    lines.push(
      `Iceberg table: ${counted(compared.rows, 'row')} in ${counted(files, 'file')}, ${sized(bytes)}, at commit ${grouped(commit)}${comparedRows === undefined ? '' : `; ${counted(comparedRows, 'compacted row')} compared with the base`}.`,
    );
  }
  lines.push(`Took ${lasted(report.tookMs)}.`);
  if (report.losses.length > 0) {
    lines.push('', out.bold('Lost'));
    for (const { what, offsets } of report.losses.slice(0, shownMax)) lines.push(`  - ${what} (${counted(offsets, 'event')})`);
    if (report.losses.length > shownMax) lines.push(`  … and ${report.losses.length - shownMax} more; --json has them.`);
  }
  if (report.faultCount > 0) {
    lines.push('', out.bold('Faults'));
    for (const { what, next } of report.faults.slice(0, shownMax)) lines.push(`  ✗ ${what}`, `    ${next}`);
    if (report.faultCount > shownMax) lines.push(`  … and ${grouped(report.faultCount - shownMax)} more; --json has a thousand.`);
  }
  return lines;
}

function verdictText({ verdict, lostOffsets, faultCount }: AuditReport, { rows, spanned }: { rows: number; spanned: number }): string {
  switch (verdict) {
    case 'complete':
      return `complete. Each of the first ${grouped(spanned)} events of the log is accounted for once; ${grouped(rows)} are rows.`;
    case 'losses':
      return `not complete. Everything adds up, and ${counted(lostOffsets, 'event')} ${lostOffsets === 1 ? 'is' : 'are'} lost; the first ${grouped(spanned)} of the log are accounted for.`;
    case 'faulty':
      return `not complete. The audit found ${counted(faultCount, 'fault')}.`;
  }
}

type Totals = Omit<LaneAudit, 'topic' | 'partition'>;

function rowOf(name: string, lane: Totals, behind: number | undefined): string[] {
  const counts = [lane.rows, lane.rejected, lane.dropped, lane.absent, lane.lost, lane.gap, lane.files].map(grouped);
  return [name, grouped(lane.spanned), ...(behind === undefined ? [] : [grouped(behind)]), ...counts, sized(lane.bytes)];
}

function totalOf({ lanes }: AuditReport): Totals {
  const total: Record<keyof Totals, number> = {
    entries: 0,
    spanned: 0,
    rows: 0,
    rejected: 0,
    dropped: 0,
    absent: 0,
    lost: 0,
    gap: 0,
    unlanded: 0,
    files: 0,
    bytes: 0,
    checkpointTo: 0,
    filesRead: 0,
  };
  for (const lane of lanes) for (const key of Object.keys(total) as (keyof Totals)[]) total[key] += lane[key];
  return total;
}
