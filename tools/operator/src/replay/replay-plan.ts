import type { LogRange } from '../kafka-log.ts';

/** What is replayed of one partition. */
export interface PartitionPlan {
  readonly partition: number;
  /** Where the log starts: what lies below was lost to it. */
  readonly low: number;
  /** Where the sink begins. Before {@link from} when only a part is replayed, so that it knows the duplicates of what came before. */
  readonly start: number;
  /** The offsets [from, to) are compared. */
  readonly from: number;
  readonly to: number;
}

/** What a plan is made of. */
export interface PlanInput {
  readonly log: readonly LogRange[];
  /** First offsets at or after `--from`, by partition; undefined to replay from the start. */
  readonly starts: ReadonlyMap<number, number> | undefined;
  /** First offsets at or after `--to`, by partition; undefined to replay to the end. */
  readonly ends: ReadonlyMap<number, number> | undefined;
  /** How far back the sink looks for the same event, in offsets. */
  readonly dedupOffsets: number;
}

/** Plans a replay, by partition. */
export function planReplay({ log, starts, ends, dedupOffsets }: PlanInput): PartitionPlan[] {
  return log.map(({ partition, low, high }) => {
    const from = Math.min(high, Math.max(low, starts?.get(partition) ?? low));
    const to = Math.max(from, Math.min(high, ends?.get(partition) ?? high));
    const start = starts === undefined ? low : Math.max(low, from - dedupOffsets);
    return { partition, low, start, from, to };
  });
}

/** Offsets that are compared, over all partitions. */
export function offsetsOf(plan: readonly PartitionPlan[]): number {
  return plan.reduce((sum, { from, to }) => sum + (to - from), 0);
}

/** The name of a fresh table to replay into. */
export function replayTableName(table: string, now: Date): string {
  const stamp = now.toISOString().replaceAll(/\D/g, '').slice(0, 14);
  return `${table.replace(/_replay_\d{14}$/, '')}_replay_${stamp}`;
}
