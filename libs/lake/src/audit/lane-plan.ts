import { getCheckpoint, newestCheckpoint } from '../checkpoint/checkpoint.ts';
import { noFiles, noTotals, withFiles, withoutFiles, type FileSum, type LaneTotals } from '../checkpoint/lane-fold.ts';
import { listLedger } from '../checkpoint/ledger-keys.ts';
import { allKeys, type CallOptions, type InspectableStore } from '../object-store.ts';
import { checkpointPrefix, toOfCheckpointKey, type LaneId } from '../keys.ts';
import type { AuditFindings } from './audit-report.ts';
import { LaneInventory } from './inventory.ts';

/** A range of a lane whose entries are read one by one. */
export interface ReadRange {
  readonly from: number;
  readonly to: number;
  /** The totals where the range starts. */
  readonly before: LaneTotals;
  /** The totals where it ends, if a checkpoint has them. */
  readonly end?: LaneTotals;
  /** Visible objects of the range by key. Absent when their sum is known to be correct. */
  readonly visible?: Map<string, number>;
}

/** One lane before its entries are read. */
export interface LanePlan {
  readonly lane: LaneId;
  /** Starts of all entries, ascending. */
  readonly froms: readonly number[];
  /** The newest checkpoint that agrees with the keys. */
  readonly base: LaneTotals;
  /** Ends of the checkpoints up to the base, ascending. */
  readonly ends: readonly number[];
  readonly inventory: LaneInventory;
}

/** Lists a lane's ledger and finds the checkpoint on which its audit builds. The keys must agree with it. */
export async function planLane(
  store: InspectableStore,
  lane: LaneId,
  findings: AuditFindings,
  options: CallOptions = {},
): Promise<LanePlan> {
  const { froms, strangers } = await listLedger(store, lane, 0, options);
  for (const key of strangers) {
    findings.fault({
      kind: 'chain',
      partition: lane.partition,
      key,
      what: `${key} lies among the entries and is none.`,
      next: 'Inspect the object and move it: only entries may be under that prefix.',
    });
  }
  const newest = await newestCheckpoint(store, lane, options);
  if (newest === undefined) return { lane, froms, base: noTotals, ends: [], inventory: new LaneInventory(lane, []) };
  const below = froms.filter((from) => from < newest.to).length;
  if (below !== newest.entries) {
    findings.fault({
      kind: 'chain',
      partition: lane.partition,
      what: `Partition ${lane.partition} has ${below} entries below offset ${newest.to}, where its checkpoint counted ${newest.entries}.`,
      next: 'An entry was deleted or added by hand; the faults below name it. Restore it from the version history of the bucket.',
    });
    return { lane, froms, base: noTotals, ends: [], inventory: new LaneInventory(lane, []) };
  }
  const ends: number[] = [];
  for await (const key of allKeys(store, checkpointPrefix(lane), options)) {
    const to = toOfCheckpointKey(key);
    if (to !== undefined && to <= newest.to) ends.push(to);
  }
  ends.reverse();
  return { lane, froms, base: newest, ends, inventory: new LaneInventory(lane, ends) };
}

/**
 * Plans the ranges of a lane whose entries must be read. These are the range above its checkpoint, and each range between two checkpoints
 * whose visible objects differ from the entries. With `deep`, all ranges.
 */
export async function rangesToRead(
  store: InspectableStore,
  plan: LanePlan,
  deep: boolean,
  options: CallOptions = {},
): Promise<ReadRange[]> {
  const { lane, base, ends, inventory } = plan;
  const ranges: ReadRange[] = [];
  const seen = inventory.sums.reduce(withFiles, noFiles);
  if (deep || !isSame(seen, base.named)) {
    let before = noTotals;
    let visible = noFiles;
    for (const [n, end] of ends.entries()) {
      visible = withFiles(visible, inventory.sums[n]!);
      const checkpoint = await getCheckpoint(store, lane, end, options);
      // Without a readable checkpoint the range joins the next one.
      if (checkpoint === undefined) continue;
      const same = isSame(visible, withoutFiles(checkpoint.named, before.named));
      if (deep || !same)
        ranges.push({ from: before.to, to: end, before, end: checkpoint, ...(same ? {} : { visible: new Map<string, number>() }) });
      before = checkpoint;
      visible = noFiles;
    }
  }
  ranges.push({ from: base.to, to: Number.POSITIVE_INFINITY, before: base, visible: inventory.tail });
  return ranges;
}

function isSame(one: FileSum, other: FileSum): boolean {
  return one.count === other.count && one.hash === other.hash;
}
