import { unlessAborted } from '@millrace/resilience';
import type { EncodedBatch } from '../spool/batch.ts';
import { Lane, type LaneState } from './lane.ts';
import type { FetchedRecords } from '../kafka/log.ts';
import type { OrphanedBatches } from '../spool/orphaned-batches.ts';
import type { SpoolBudget } from '../spool/budget/spool-budget.ts';

/** The lanes of one process: one for each partition that the group assigned to it. */
export class Lanes {
  readonly #newLane: (partition: number) => Lane;
  readonly #budget: SpoolBudget;
  /** Batches that no lane holds. */
  readonly orphans: OrphanedBatches;
  readonly #lanes = new Map<number, Lane>();
  readonly #background = new Set<Promise<void>>();
  #draining = false;

  /**
   * @param newLane makes the lane of a partition
   * @param budget what all lanes share
   * @param orphans batches that no lane holds
   */
  constructor(newLane: (partition: number) => Lane, budget: SpoolBudget, orphans: OrphanedBatches) {
    this.#newLane = newLane;
    this.#budget = budget;
    this.orphans = orphans;
  }

  get all(): readonly Lane[] {
    return [...this.#lanes.values()];
  }

  /**
   * Takes the partitions that a (re)join assigned. Synchronous up to the last pause and seek, because kafkajs fetches as soon as the
   * event's listeners return. It would fetch a new lane from the committed offset, and a kept lane from its rewound position.
   */
  assign(partitions: readonly number[]): void {
    for (const [partition, lane] of this.#lanes) {
      if (partitions.includes(partition)) continue;
      this.#lanes.delete(partition);
      this.#track(lane.stop('the group gave the partition to another member'));
    }
    for (const partition of partitions) {
      const kept = this.#lanes.get(partition);
      if (kept !== undefined) {
        kept.rejoin();
        continue;
      }
      const lane = this.#newLane(partition);
      this.#lanes.set(partition, lane);
      // Without the pause, kafkajs would deliver the same fetch repeatedly.
      if (this.#draining) lane.stopAccepting();
      this.#track(lane.start());
    }
  }

  /** Passes a fetch to its lane. */
  async take(fetched: FetchedRecords): Promise<boolean> {
    const lane = this.#lanes.get(fetched.partition);
    if (lane === undefined || this.#draining) return false;
    const taken = await lane.take(fetched);
    await this.#relieve();
    return taken;
  }

  /** There is room in the spool again. */
  room(): void {
    for (const lane of this.#lanes.values()) lane.room();
  }

  /**
   * Publishes orphans: batches that this process, or a dead one on its disk, recorded and could not land before losing the partition.
   * Discards orphans whose offsets others have recorded since and, if the spool needs room, the rest. Without this method, a spool full of
   * batches of partitions elsewhere would stay full: all lanes pause, and no lane would make room.
   *
   * @param finish publishes one batch, and returns whether it is no longer needed; see `publishRecorded`
   * @throws the first error of `finish`, after every partition was tried
   */
  async publishOrphans(finish: (partition: number, batch: EncodedBatch) => Promise<boolean>): Promise<void> {
    const errors: unknown[] = [];
    const unrecorded = new Set<EncodedBatch>();
    for (const partition of this.orphans.partitions) {
      // A lane that starts takes its own.
      if (this.#lanes.get(partition)?.state.kind === 'starting') continue;
      const finishOne = async (batch: EncodedBatch): Promise<boolean> => {
        const done = await finish(partition, batch);
        if (!done) unrecorded.add(batch);
        return done;
      };
      try {
        while (await this.orphans.lendOldest(partition, finishOne));
      } catch (error) {
        errors.push(error);
      }
    }
    while (this.#budget.crowded && (await this.orphans.dropOne(unrecorded)));
    if (errors.length > 0) throw errors[0];
  }

  /**
   * Lands the records already taken, and stops.
   *
   * @param landBy aborts at the end of the time for landing
   * @param stopBy aborts at the end of the time for stopping: a disk that hangs must not keep the process
   */
  async drain(landBy: AbortSignal, stopBy: AbortSignal): Promise<void> {
    this.#draining = true;
    await Promise.all(this.all.map(async (lane) => await lane.drain(landBy)));
    await unlessAborted(Promise.all([...this.all.map(async (lane) => await lane.stop('the process stops')), ...this.#background]), stopBy);
  }

  /** The lanes that refuse to continue, with the reason. */
  get refused(): readonly { readonly partition: number; readonly error: Error }[] {
    return this.all.flatMap((lane) => {
      const state: LaneState = lane.state;
      return state.kind === 'refused' ? [{ partition: lane.partition, error: state.error }] : [];
    });
  }

  // Drop an orphan first. Otherwise seal the largest open batch, and the oldest of equal ones: many small batches would make small files.
  async #relieve(): Promise<void> {
    const { crowded, overOpen } = this.#budget;
    if (!crowded && !overOpen) return;
    if (crowded && (await this.orphans.dropOne())) return;
    const [largest] = this.all
      .filter(({ segmentCount }) => segmentCount > 0)
      .toSorted((a, b) => b.openBytes - a.openBytes || b.oldestAgeMs - a.oldestAgeMs);
    if (largest !== undefined && (overOpen || this.#budget.isWorthSealing(largest.openBytes))) await largest.seal('pressure');
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#background.delete(tracked));
    this.#background.add(tracked);
  }
}

/** The fill level of the spool, for health and metrics. */
export interface SpoolView {
  readonly bytes: number;
  readonly bytesMax: number;
  readonly batches: number;
  readonly oldestAgeMs: number;
}

/**
 * Adds up the batches that wait to land.
 *
 * @param now milliseconds since the epoch
 */
export function spoolView(lanes: Lanes, budget: SpoolBudget, now = Date.now()): SpoolView {
  const { count, oldestAt = now } = lanes.orphans;
  return {
    bytes: budget.bytes,
    bytesMax: budget.limits.bytesMax,
    batches: lanes.all.reduce((sum, lane) => sum + lane.queued, count),
    oldestAgeMs: Math.max(now - oldestAt, ...lanes.all.map((lane) => lane.oldestAgeMs)),
  };
}
