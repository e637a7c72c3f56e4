import { beginPhase, type OperationOptions } from '../progress.ts';
import type { Target } from '../target.ts';
import { Duck } from './duck.ts';
import { findRows, type FoundRow } from './find-rows.ts';

/**
 * Finds the rows of events in the table. It searches neither rejects nor the topic.
 *
 * @param eventIds ids in any case
 * @throws OperationError `unavailable` when DuckDB cannot read S3
 */
export async function findEvents(
  target: Target,
  eventIds: readonly string[],
  { signal, onProgress }: OperationOptions<'find'>,
): Promise<FoundRow[]> {
  const note = beginPhase(onProgress, 'find');
  const duck = await Duck.openFor(target, 512);
  try {
    return await findRows(
      target.lake,
      duck,
      eventIds.map((id) => id.toLowerCase()),
      { signal, note },
    );
  } finally {
    duck.close();
  }
}
