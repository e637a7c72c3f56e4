import type { Check } from './records/check.ts';
import type { DedupWindow } from '../dedup/dedup-window.ts';
import type { LogRecord } from '../kafka/log.ts';
import type { CheckedRecord } from './open-batch.ts';

/**
 * Checks records, and marks those whose event is a kept row already, in the window or earlier in the same fetch. This function only reads
 * the window: kept rows are added to it once they are on disk.
 */
export function judge(records: readonly LogRecord[], check: Check, window: DedupWindow): CheckedRecord[] {
  const keptNow = new Map<string, number>();
  return records.map((record) => {
    const result = check(record);
    if (result.kind !== 'row' || window.offsets === 0) return { record, result };
    const { eventId, offset } = result;
    const keptAt = keptNow.get(eventId);
    const duplicate = (keptAt !== undefined && offset - keptAt <= window.offsets) || window.holds(eventId, offset);
    if (!duplicate) keptNow.set(eventId, offset);
    return { record, result: duplicate ? { kind: 'duplicate', offset, eventId } : result };
  });
}
