import { counted, grouped, listRejects, type ListedRejects, type Target } from '@millrace/operations';
import type { Arguments } from '../arguments.ts';
import type { OperatorContext } from '../operator-context.ts';
import { showProgress } from '../show-progress.ts';

/** Usage of the command. */
export const listUsage = './millrace rejects list [--partition P] [--limit N] [--json] [--table T]';

/** Lists the reject files, at most `--limit` of them (default 100). */
export async function rejectsList({ lake }: Target, given: Arguments, { out, progress, table, signal }: OperatorContext): Promise<number> {
  const [limit, partition] = [given.integer('--limit', 1) ?? 100, given.integer('--partition')];
  const listed = await showProgress(
    progress,
    { rejects: 'Reject files' },
    async (onProgress) => await listRejects(lake, { limit, partition, signal, onProgress }),
  );
  const { files, filesTotal } = listed;
  if (given.has('--json')) {
    out.line(JSON.stringify(listed));
  } else if (filesTotal === 0) {
    out.line(`Table ${lake.stream.table} has no rejects.`);
  } else {
    const rows = files.map(({ topic, partition: of, from, to, count, reasons }) => [
      topic,
      String(of),
      `${grouped(from)}–${grouped(to - 1)}`,
      grouped(count),
      reasonText(reasons),
    ]);
    const more = filesTotal > files.length ? ` ${grouped(filesTotal - files.length)} more files; --limit shows more.` : '';
    out.line(table(['topic', 'partition', 'offsets', 'rejects', 'reason'], rows));
    out.line();
    out.line(
      `${counted(
        files.reduce((sum, { count }) => sum + count, 0),
        'reject',
      )} in ${counted(files.length, 'file')}.${more}`,
    );
  }
  return 0;
}

function reasonText(reasons: ListedRejects['reasons']): string {
  const [first] = reasons;
  if (first === undefined) return 'lost: an empty file replaces it';
  return `${first.reason}${reasons.length > 1 ? ` (${first.count}), and ${counted(reasons.length - 1, 'other reason')}` : ''}`;
}
