import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { LakeError, lostMetadata, type CallOptions, type InspectableStore, type RewriteInput } from '@millrace/lake';
import { onDisk } from '../../../spool/disk/on-disk.ts';

/** One GET. Four downloads at once hold four of these in memory. */
const partBytes = 8 * 1024 * 1024;

const downloadsAtOnce = 4;

/** Files to merge, on disk. */
export interface Downloaded {
  readonly paths: readonly string[];
  /** Rows of the inputs whose files a repair replaced by empty ones. */
  readonly lostRows: number;
}

/**
 * Downloads files to a directory.
 *
 * @throws LakeError `file-lost` when a file is missing or has another size than its manifest states, and no repair declared its rows lost
 */
export async function downloadInputs(
  store: Pick<InspectableStore, 'getRange' | 'metadata'>,
  inputs: readonly RewriteInput[],
  directory: string,
  options: CallOptions,
): Promise<Downloaded> {
  const paths: string[] = [];
  let lostRows = 0;
  const waiting = inputs.map((input, n) => ({ input, path: join(directory, `${n}.parquet`) }));
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      if (await download(store, next.input, next.path, options)) paths.push(next.path);
      else lostRows += next.input.rows;
    }
  };
  // Waits for all of them: the directory is deleted after a failure.
  const ends = await Promise.allSettled(Array.from({ length: downloadsAtOnce }, work));
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return { paths: paths.toSorted(), lostRows };
}

/** Returns false when a repair replaced the file by an empty one. */
async function download(
  store: Pick<InspectableStore, 'getRange' | 'metadata'>,
  { key, bytes, rows }: RewriteInput,
  path: string,
  options: CallOptions,
): Promise<boolean> {
  const file = await onDisk(async () => await open(path, 'w'));
  let written = 0;
  try {
    for (let from = 0; from < bytes; from += partBytes) {
      // One byte more than expected shows a file that is too long.
      const to = from + partBytes >= bytes ? bytes + 1 : from + partBytes;
      const part = await store.getRange(key, from, to, options);
      if (part === undefined)
        throw new LakeError('file-lost', `${key} is missing, although a commit names it; run ./millrace audit`, { key });
      await onDisk(async () => await file.write(part));
      written += part.byteLength;
      if (part.byteLength < to - from) break;
    }
  } finally {
    await file.close();
  }
  if (written === bytes) return true;
  if ((await store.metadata(key, options))?.[lostMetadata] === String(rows)) return false;
  throw new LakeError('file-lost', `${key} has not the ${bytes} bytes that its manifest states; run ./millrace audit`, { key });
}
