import { auditTable, tableLedgerPrefix, type AuditReport } from '@millrace/lake';
import { Arguments } from './arguments.ts';
import { auditText } from './audit-text.ts';
import { OperatorError } from './errors.ts';
import { logRanges, withAdmin, type LogRange } from './kafka-log.ts';
import { openLake, type Lake } from './open-lake.ts';
import type { OperatorContext } from './operator-context.ts';
import { withUnrecordedLosses } from './unrecorded-losses.ts';

const exitCodes = { complete: 0, faulty: 1, losses: 2 } as const;

/** `./millrace audit`: exit code 0 only when the table is complete; 2 when all adds up and something is known to be lost; 1 otherwise. */
export async function auditCommand(args: readonly string[], context: OperatorContext): Promise<number> {
  const given = Arguments.read(args, { usage: './millrace audit [--deep] [--json] [--table T]', flags: ['--deep', '--json'], values: ['--table'] });
  const lake = openLake(context.env, given.value('--table'));
  try {
    const table = await context.progress.step(`Audit of ${lake.stream.table}`, async (note) => await audit(lake, given.has('--deep'), context.signal, note));
    const log = await rangesOfLog(context, table);
    const report = log === undefined ? table : withUnrecordedLosses(table, log);
    if (given.has('--json')) {
      context.out.line(JSON.stringify(report));
    } else {
      for (const line of auditText(report, context, log)) context.out.line(line);
    }
    return exitCodes[report.verdict];
  } finally {
    lake.close();
  }
}

/**
 * Audits a lake.
 *
 * @throws OperatorError when there is no such table
 */
export async function audit({ store, catalog, stream, bucket }: Lake, deep: boolean, signal: AbortSignal, onProgress?: (text: string) => void): Promise<AuditReport> {
  const report = await auditTable({ store, catalog, stream, deep, signal, ...(onProgress === undefined ? {} : { onProgress }) });
  if (report.lanes.length === 0 && report.faultCount === 0) {
    const tables = (await store.listFolders(tableLedgerPrefix('').slice(0, -1), { signal })).map((folder) => folder.slice(0, -1));
    throw new OperatorError(`Nothing has landed in a table "${stream.table}" of bucket ${bucket}. ${tables.length === 0 ? 'No table has a ledger yet: post a purchase, and wait for the sink to land it.' : `Tables with a ledger: ${tables.join(', ')}.`}`);
  }
  return report;
}

// The table is proved without the log: what that adds is not worth failing for.
async function rangesOfLog({ env }: OperatorContext, report: AuditReport): Promise<readonly LogRange[] | undefined> {
  const [lane] = report.lanes;
  if (lane === undefined) return undefined;
  try {
    return await withAdmin(env, async (admin) => await logRanges(admin, lane.topic));
  } catch {
    return undefined;
  }
}
