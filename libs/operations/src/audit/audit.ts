import type { KafkaAccess } from '@millrace/kafka/access';
import { auditTable, TableFiles, tableLedgerPrefix, type AuditReport } from '@millrace/lake';
import { OperationError } from '../errors.ts';
import { logRanges, withAdmin, type LogRange } from '../kafka/kafka-log.ts';
import { beginPhase, type OperationOptions } from '../progress.ts';
import type { Target } from '../target.ts';
import { withComparedRows } from './compare-projection.ts';
import { withUnrecordedLosses } from './unrecorded-losses.ts';

/** Options of {@link audit}. */
export interface AuditOptions extends OperationOptions<'audit'> {
  /** Reads every byte instead of the footers. Default: false. */
  readonly deep?: boolean;
}

/** Result of {@link audit}. */
export interface AuditResult {
  /** The report, with the events that left the log before the sink recorded them. */
  readonly report: AuditReport;
  /** The offsets of the topic. Absent when Kafka does not answer: the report then covers the table alone. */
  readonly log?: readonly LogRange[];
}

/**
 * Audits a table: each event of its ledger, its files, its catalog and its Iceberg table, and the topic where Kafka answers. A deep audit
 * compares each row of the Iceberg table.
 *
 * @throws OperationError `not-found` when nothing has landed in the table
 */
export async function audit(target: Target, { deep = false, signal, onProgress }: AuditOptions): Promise<AuditResult> {
  const { lake, kafka } = target;
  const { store, catalog, stream, bucket } = lake;
  const note = beginPhase(onProgress, 'audit');
  const projection = new TableFiles({ store, bucket, stream });
  const found = await auditTable({ store, catalog, stream, projection, deep, signal, onProgress: note });
  const report = deep ? await withComparedRows(found, target, projection, signal, note) : found;
  if (report.lanes.length === 0 && report.faultCount === 0) {
    const tables = (await store.listFolders(tableLedgerPrefix('').slice(0, -1), { signal })).map((folder) => folder.slice(0, -1));
    const remedy =
      tables.length === 0
        ? 'No table has a ledger yet: post a purchase, and wait for the sink to land it.'
        : `Tables with a ledger: ${tables.join(', ')}.`;
    throw new OperationError('not-found', `Nothing has landed in a table "${stream.table}" of bucket ${bucket}. ${remedy}`);
  }
  const log = await readLogRanges(kafka, report);
  return log === undefined ? { report } : { report: withUnrecordedLosses(report, log), log };
}

// The ledger proves the table without the log, so a Kafka that is down does not fail the audit.
async function readLogRanges(kafka: KafkaAccess, { lanes: [lane] }: AuditReport): Promise<readonly LogRange[] | undefined> {
  if (lane === undefined) return undefined;
  try {
    return await withAdmin(kafka, async (admin) => await logRanges(admin, lane.topic));
  } catch {
    return undefined;
  }
}
