import type { UndecodableBatch } from '@millrace/kafka';
import type { LogRecord } from '../../kafka/log.ts';

/** Describes a batch that cannot be decoded, with the reason. */
export function undecodableText({ from, to, reason }: Pick<UndecodableBatch, 'from' | 'to' | 'reason'>): string {
  const place = to === undefined ? `at offset ${from}` : to - from === 1 ? `at offset ${from}` : `at offsets ${from}-${to - 1}`;
  return `the batch ${place} cannot be decoded: ${reason}`;
}

/**
 * One record for each offset of a batch that cannot be decoded, in slices. The first one carries the bytes of the batch.
 *
 * @param range the offsets that have not landed yet
 */
export function* undecodableRecords(
  batch: UndecodableBatch,
  { from, to }: { readonly from: number; readonly to: number },
  recordsAtOnce: number,
): Generator<LogRecord[]> {
  const timestamp = String(batch.header?.maxTimestamp ?? -1);
  const { reason, sha256, bytes } = batch;
  for (let start = from; start < to; start += recordsAtOnce) {
    yield Array.from({ length: Math.min(recordsAtOnce, to - start) }, (_, n): LogRecord => {
      const offset = start + n;
      const undecodable = { from: batch.from, to, reason, sha256 };
      return {
        offset,
        timestamp,
        key: null,
        value: null,
        headers: [],
        undecodable: offset === from ? { ...undecodable, batch: bytes } : undecodable,
      };
    });
  }
}
