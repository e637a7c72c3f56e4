import { isLanded, lanesOf, Ledger, type LaneId } from '@millrace/lake';
import type { LakeObjects } from './open-lake.ts';

/** Progress of a lane. */
export interface LandedEnd {
  readonly lane: LaneId;
  /** Offsets [0, landed) are accounted for, and their rows visible. */
  readonly landed: number;
}

/** Progress of each lane of a table, by partition. A head with a missing file does not count. */
export async function landedEnds({ store, stream }: LakeObjects, signal: AbortSignal): Promise<ReadonlyMap<number, LandedEnd>> {
  const ends = new Map<number, LandedEnd>();
  for (const lane of await lanesOf(store, stream.table, { signal })) {
    const head = await new Ledger(store, lane).head({ signal });
    if (head === undefined) continue;
    ends.set(lane.partition, { lane, landed: (await isLanded(store, head, { signal })) ? head.to : head.from });
  }
  return ends;
}
