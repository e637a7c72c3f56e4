import type { LogRange } from '../kafka/kafka-log.ts';

/** The part of one partition that is replayed. */
export interface PartitionPlan {
  readonly partition: number;
  /** First offset of the log. Retention removed the offsets below it. */
  readonly low: number;
  /** First offset that the sink reads. A replay of a part starts before {@link from}, so that the sink knows the ids before the part. */
  readonly start: number;
  /** The offsets [from, to) are compared. */
  readonly from: number;
  readonly to: number;
}

/** Input of {@link planReplay}. */
export interface PlanInput {
  readonly log: readonly LogRange[];
  /** First offsets of the part, by partition. Undefined: from the start. */
  readonly starts: ReadonlyMap<number, number> | undefined;
  /** First offsets after the part, by partition. Undefined: to the end. */
  readonly ends: ReadonlyMap<number, number> | undefined;
  /** Offsets of the sink's deduplication window, ≥ 0. */
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

/** Returns the number of compared offsets of all partitions. */
export function offsetsOf(plan: readonly PartitionPlan[]): number {
  return plan.reduce((sum, { from, to }) => sum + (to - from), 0);
}

/** Returns the name of a new table for a replay that starts now. */
export function replayTableName(table: string, now: Date): string {
  const stamp = now.toISOString().replaceAll(/\D/g, '').slice(0, 14);
  return `${table.replace(/_replay_\d{14}$/, '')}_replay_${stamp}`;
}
