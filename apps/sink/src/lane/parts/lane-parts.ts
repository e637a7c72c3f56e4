import type { Clock } from '@millrace/resilience';
import type { DedupWindow } from '../../dedup/dedup-window.ts';
import type { BatchSteps } from '../../batch/batch-steps.ts';
import type { OrphanedBatches } from '../../spool/orphaned-batches.ts';
import type { SpoolBudget } from '../../spool/budget/spool-budget.ts';
import type { Spool } from '../../spool/spool.ts';

/** Settings of a lane. Its first batch is sealed at a part of both, so that lanes seal in turn. */
export interface LaneSettings {
  /** A batch is sealed at this many raw bytes. Firehose's buffer size. */
  readonly flushBytes: number;
  /** A batch is sealed at this age, in milliseconds. Firehose's buffer interval. */
  readonly flushAgeMs: number;
}

/** The parts of a lane. All lanes share spool, orphaned batches and budget; steps and window belong to one lane. */
export interface LaneParts {
  readonly steps: BatchSteps;
  readonly window: DedupWindow;
  readonly spool: Spool;
  readonly orphans: OrphanedBatches;
  readonly budget: SpoolBudget;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly settings: LaneSettings;
}
