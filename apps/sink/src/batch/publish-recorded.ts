import { isLanded } from '@millrace/lake';
import type { EncodedBatch } from '../spool/batch.ts';
import type { BatchSteps } from './batch-steps.ts';

/**
 * Publishes an orphaned batch that is recorded and has not landed: its lane was taken away, or its process died, in between. Whoever
 * has the lane now publishes it from what was staged; when that was deleted, only our disk has the files.
 *
 * @returns whether the batch is not needed any more: it has landed, or its offset is another entry's; one whose offset no entry holds
 * may still be good for its lane
 * @throws what the ledger or the store throws; the batch is then as it was
 */
export async function publishRecorded(steps: BatchSteps, encoded: EncodedBatch, signal: AbortSignal): Promise<boolean> {
  const { entry } = encoded;
  const recorded = await steps.parts.ledger.entryHolding(entry.from, { signal });
  if (recorded === undefined) return false;
  if (recorded.id !== entry.id) return true;
  if (!(await isLanded(steps.parts.store, entry, { signal }))) await steps.publishFromDisk(encoded, signal);
  return true;
}
