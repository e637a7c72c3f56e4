import { auditTable, filesOf, lostMetadata, putIfAbsent, readEntry, type LaneId, type LedgerEntry } from '@millrace/lake';
import { Duck } from '../lake/duck.ts';
import type { Lake } from '../lake/open-lake.ts';
import { parquetFile } from '../lake/parquet-file.ts';
import { beginPhase, type OperationOptions } from '../progress.ts';

/** A file that an entry names and that does not exist. */
export interface MissingFile {
  readonly key: string;
  readonly partition: number;
  /** The batch it belongs to: offsets [from, to). */
  readonly from: number;
  readonly to: number;
  /** Number of rows, or of rejects, that it held. */
  readonly rows: number;
  /** `publish`: copy the staged file. `record-loss`: no staged file is left, so an empty file records the loss. */
  readonly action: 'publish' | 'record-loss';
}

/** Options of {@link repairTable}. */
export interface RepairOptions extends OperationOptions<'search' | 'repair'> {
  /** Repairs the files. Default: false, which only plans. */
  readonly apply?: boolean;
}

/** Result of {@link repairTable}. */
export interface RepairResult {
  readonly applied: boolean;
  /** The missing files, at most a thousand. The next run finds the rest. */
  readonly files: readonly MissingFile[];
}

/**
 * Repairs a table from which files were deleted. It publishes a file again from its staged copy. Without a copy it puts an empty file in
 * its place. The metadata of that file states the number of lost rows. A stopped lane then continues, and the audit reports the loss.
 */
export async function repairTable(lake: Lake, { apply = false, signal, onProgress }: RepairOptions): Promise<RepairResult> {
  const files = await findMissingFiles(lake, signal, beginPhase(onProgress, 'search'));
  if (apply && files.length > 0) {
    beginPhase(onProgress, 'repair', files.length);
    await repairFiles(lake, files, signal);
  }
  return { applied: apply, files };
}

async function findMissingFiles({ store, stream }: Lake, signal: AbortSignal, onProgress: (text: string) => void): Promise<MissingFile[]> {
  const { faults, lanes } = await auditTable({ store, stream, signal, onProgress });
  const found: MissingFile[] = [];
  for (const { kind, key, partition } of faults) {
    const lane = lanes.find((one) => one.partition === partition);
    if (kind !== 'missing-file' || key === undefined || lane === undefined) continue;
    const entry = await entryOf({ store }, { table: stream.table, topic: lane.topic, partition: lane.partition }, key, signal);
    const file = entry.files.find((one) => one.key === key);
    const { staged } = filesOf(entry).find((one) => one.key === key)!;
    const action = (await store.size(staged, { signal })) === undefined ? 'record-loss' : 'publish';
    found.push({ key, partition: lane.partition, from: entry.from, to: entry.to, rows: file?.rows ?? entry.rejects?.count ?? 0, action });
  }
  return found;
}

async function repairFiles(lake: Lake, missing: readonly MissingFile[], signal: AbortSignal): Promise<void> {
  const { store, stream } = lake;
  const duck = await Duck.open(256);
  try {
    const empty = await parquetFile(duck, stream);
    for (const { key, partition, rows, action } of missing) {
      signal.throwIfAborted();
      if (action === 'publish') {
        const entry = await entryOf(lake, { table: stream.table, topic: stream.topic.name, partition }, key, signal);
        const { staged } = filesOf(entry).find((one) => one.key === key)!;
        await store.copy(staged, key, { signal });
        continue;
      }
      const metadata = { [lostMetadata]: String(rows) };
      // Put-if-absent: someone may have restored the file since, and that file stays.
      await putIfAbsent(store, key, key.endsWith('.parquet') ? empty : new Uint8Array(), { metadata, signal });
    }
  } finally {
    duck.close();
  }
}

async function entryOf({ store }: Pick<Lake, 'store'>, lane: LaneId, key: string, signal: AbortSignal): Promise<LedgerEntry> {
  const from = Number(/(?:\/p\d+-|\/)(\d+)-\d+-[^/]+$/.exec(key)?.[1]);
  return await readEntry(store, lane, from, { signal });
}
