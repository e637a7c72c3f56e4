import { Arguments } from '../arguments.ts';
import { counted, grouped } from '../numbers.ts';
import type { Lake } from '../open-lake.ts';
import type { OperatorContext } from '../operator-context.ts';
import { listRejectFiles, readRejectFiles } from './reject-files.ts';

/** Usage of the command. */
export const listUsage = './millrace rejects list [--partition P] [--limit N] [--json] [--table T]';

/** A reject file. */
interface ListedRejects {
  readonly file: string;
  readonly topic: string;
  readonly partition: number;
  /** The batch it belongs to: offsets [from, to). */
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** The most frequent first. */
  readonly reasons: readonly { readonly reason: string; readonly count: number }[];
}

/** Lists the reject files, at most `--limit` of them (default 100). */
export async function rejectsList(lake: Lake, given: Arguments, { out, progress, table, signal }: OperatorContext): Promise<number> {
  const limit = given.integer('--limit', 1) ?? 100;
  const listed: ListedRejects[] = [];
  const files = await progress.step('Reject files', async (note) => {
    const all = await listRejectFiles(lake, signal, given.integer('--partition'));
    for await (const { file, records } of readRejectFiles(lake, all.slice(0, limit), signal)) {
      listed.push({ file: file.key, topic: file.lane.topic, partition: file.lane.partition, from: file.from, to: file.to, count: records.length, reasons: reasonsOf(records) });
      note(`${grouped(listed.length)} of ${grouped(Math.min(limit, all.length))} read`);
    }
    return all.length;
  });
  if (given.has('--json')) {
    out.line(JSON.stringify({ files: listed, filesTotal: files }));
    return 0;
  }
  if (files === 0) {
    out.line(`Table ${lake.stream.table} has no rejects.`);
    return 0;
  }
  out.line(table(['topic', 'partition', 'offsets', 'rejects', 'reason'], listed.map(({ topic, partition, from, to, count, reasons }) => [topic, String(partition), `${grouped(from)}–${grouped(to - 1)}`, grouped(count), reasonText(reasons)])));
  out.line();
  out.line(`${counted(listed.reduce((sum, { count }) => sum + count, 0), 'reject')} in ${counted(listed.length, 'file')}.${files > listed.length ? ` ${grouped(files - listed.length)} more files; --limit shows more.` : ''}`);
  return 0;
}

function reasonsOf(records: readonly { readonly reason: string }[]): ListedRejects['reasons'] {
  const counts = new Map<string, number>();
  for (const { reason } of records) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].map(([reason, count]) => ({ reason, count })).toSorted((a, b) => b.count - a.count);
}

function reasonText(reasons: ListedRejects['reasons']): string {
  const [first] = reasons;
  if (first === undefined) return 'lost: an empty file stands in its place';
  return `${first.reason}${reasons.length > 1 ? ` (${first.count}), and ${counted(reasons.length - 1, 'other reason')}` : ''}`;
}
