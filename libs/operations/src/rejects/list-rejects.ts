import type { LakeObjects } from '../lake/open-lake.ts';
import { grouped } from '../numbers.ts';
import { beginPhase, type OperationOptions } from '../progress.ts';
import { listRejectFiles, readRejectFiles, rejectFinder, type RejectedRecord } from './reject-files.ts';

/** Options of {@link listRejects} and {@link readRejects}. */
export interface RejectsOptions extends OperationOptions<'rejects'> {
  /** Only the rejects of this partition. Default: of every partition. */
  readonly partition?: number | undefined;
  /** Maximum number of files or records, ≥ 1. */
  readonly limit: number;
}

/** A reject file. */
export interface ListedRejects {
  readonly file: string;
  readonly topic: string;
  readonly partition: number;
  /** The batch it belongs to: offsets [from, to). */
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** Reasons with their counts, the most frequent first. */
  readonly reasons: readonly { readonly reason: string; readonly count: number }[];
}

/** Lists the reject files of a table, sorted by partition and offset. `filesTotal` also counts the files beyond the limit. */
export async function listRejects(
  lake: LakeObjects,
  { partition, limit, signal, onProgress }: RejectsOptions,
): Promise<{ readonly files: readonly ListedRejects[]; readonly filesTotal: number }> {
  const note = beginPhase(onProgress, 'rejects');
  const files: ListedRejects[] = [];
  const all = await listRejectFiles(lake, signal, partition);
  for await (const { file, records } of readRejectFiles(lake, all.slice(0, limit), signal)) {
    files.push({
      file: file.key,
      topic: file.lane.topic,
      partition: file.lane.partition,
      from: file.from,
      to: file.to,
      count: records.length,
      reasons: countReasons(records),
    });
    note(`${grouped(files.length)} of ${grouped(Math.min(limit, all.length))} read`);
  }
  return { files, filesTotal: all.length };
}

/** Reads the rejects of a table, sorted by partition and offset. */
export async function readRejects(lake: LakeObjects, { partition, limit, signal, onProgress }: RejectsOptions): Promise<RejectedRecord[]> {
  beginPhase(onProgress, 'rejects');
  const records: RejectedRecord[] = [];
  for await (const file of readRejectFiles(lake, await listRejectFiles(lake, signal, partition), signal)) {
    records.push(...file.records.slice(0, limit - records.length));
    if (records.length >= limit) break;
  }
  return records;
}

/** Reads the reject at an offset. Undefined when no entry rejected the offset. */
export async function readReject(
  lake: LakeObjects,
  partition: number,
  offset: number,
  signal: AbortSignal,
): Promise<RejectedRecord | undefined> {
  return await rejectFinder(lake, signal)(partition, offset);
}

function countReasons(records: readonly { readonly reason: string }[]): ListedRejects['reasons'] {
  const counts = new Map<string, number>();
  for (const { reason } of records) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].map(([reason, count]) => ({ reason, count })).toSorted((a, b) => b.count - a.count);
}
