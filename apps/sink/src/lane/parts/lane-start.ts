import { chainEndOf, type ChainEnd, type LedgerEntry } from '@millrace/lake';
import type { EncodedBatch } from '../../spool/batch.ts';
import { isSinkError, SinkError } from '../../errors.ts';
import { gapEntry } from '../../batch/gap-entry.ts';
import type { LaneParts } from './lane-parts.ts';
import type { LogRange } from '../../kafka/log.ts';

/** The place at which a lane continues. */
export interface LaneStart {
  /** The newest entry; it has landed. */
  readonly head: LedgerEntry | undefined;
  /** Batches from the spool that extend it. */
  readonly waiting: readonly EncodedBatch[];
  /** The end of the chain once those are recorded. */
  readonly end: ChainEnd;
  /** The last record before that end. */
  readonly last: LedgerEntry['last'];
  readonly range: LogRange;
}

/**
 * Finds the head, lands it, and adopts the orphans that extend it. Then checks that the ledger was written from this log, and fills the
 * window. Ignores the committed offset. If the head ends below the log's start, records a gap entry.
 *
 * @throws SinkError `different-log`; LakeError `file-lost`, `bad-entry`
 */
export async function findStart(partition: number, parts: LaneParts, life: AbortSignal): Promise<LaneStart> {
  const { steps, orphans, window } = parts;
  for (;;) {
    const head = await steps.head(life);
    const end = chainEndOf(head);
    const found = await orphans.take(partition, end);
    let unlanded = found.head;
    try {
      // Land before extend: a lane that finds the head unlanded publishes it first.
      if (unlanded !== undefined) await steps.landFromDisk(unlanded, life);
      else if (head !== undefined) await steps.land(head, life);
      if (unlanded !== undefined) await orphans.discard(unlanded);
      unlanded = undefined;
      const tip = found.next.at(-1)?.entry ?? head;
      const range = await steps.range(life);
      if (tip !== undefined) refuseOtherLog(partition, tip, range, steps.parts.context.cluster);
      if (found.next.length === 0 && end.to < range.low) {
        // Whether or not the race was lost, the loop reads the ledger again.
        const { outcome } = await steps.record(gapEntry(parts.newId(), end, range.low, steps.parts.context), head, life);
        if (outcome === 'mine') steps.parts.observe({ type: 'GapRecorded', partition, from: end.to, to: range.low });
        continue;
      }
      await steps.fillWindow(window, end.to, found.next, life);
      return { head, waiting: found.next, end: chainEndOf(tip), last: tip?.last, range };
    } catch (error) {
      if (unlanded !== undefined && isSinkError(error, 'spool-corrupt')) {
        // A corrupt copy is useless: the head is landed from its staged files, or it is lost.
        await orphans.setAside(partition, unlanded, error);
        orphans.put(partition, found.next);
        continue;
      }
      // Another assignment, or an operator's repair, may still need these batches. This may be the only copy of the head.
      orphans.put(partition, unlanded === undefined ? found.next : [unlanded, ...found.next]);
      throw error;
    }
  }
}

/** The error for a log that ends before an offset that was already reached. */
export function shorterLog(partition: number, high: number, reached: number): SinkError {
  return new SinkError(
    'different-log',
    `partition ${partition} ends at offset ${high}, but ${reached} was reached: the topic was recreated or cut; a new log needs a new topic name or another bucket`,
  );
}

/** The error for a log that does not hold the record that identifies it. */
export function otherRecord(partition: number, offset: number): SinkError {
  return new SinkError(
    'different-log',
    `the record at offset ${offset} of partition ${partition} is not the one the ledger names: the topic was recreated; a new log needs a new topic name or another bucket`,
  );
}

function refuseOtherLog(partition: number, tip: LedgerEntry, { high }: LogRange, cluster: string): void {
  if (tip.topic.cluster !== cluster) {
    throw new SinkError(
      'different-log',
      `the ledger of partition ${partition} was written from cluster ${tip.topic.cluster}, this is ${cluster}: point the sink at the right cluster, or at another bucket`,
    );
  }
  if (tip.to > high) throw shorterLog(partition, high, tip.to);
}
