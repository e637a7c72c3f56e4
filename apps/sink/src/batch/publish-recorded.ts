import { isLanded } from '@millrace/lake';
import type { EncodedBatch } from '../spool/batch.ts';
import type { BatchSteps } from './batch-steps.ts';

/**
 * Publishes an orphaned batch that is recorded and has not landed, because its partition was revoked or its process died in between. The
 * lane's present owner publishes it from the staged files. If those were deleted, only our disk has the files.
 *
 * @returns whether the batch is no longer needed: it has landed, or another entry holds its offset. A batch whose offset no entry holds
 * may still be useful to its lane.
 * @throws the error of the ledger or the store; the batch is then unchanged
 */
export async function publishRecorded(steps: BatchSteps, encoded: EncodedBatch, signal: AbortSignal): Promise<boolean> {
  const { entry } = encoded;
  const recorded = await steps.parts.ledger.entryHolding(entry.from, { signal });
  if (recorded === undefined) return false;
  if (recorded.id !== entry.id) return true;
  if (!(await isLanded(steps.parts.store, entry, { signal }))) await steps.publishFromDisk(encoded, signal);
  return true;
}
