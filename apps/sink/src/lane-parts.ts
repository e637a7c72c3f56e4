import type { Clock } from '@millrace/resilience';
import type { DedupWindow } from './dedup-window.ts';
import type { Pipeline } from './pipeline.ts';
import type { Shelf } from './shelf.ts';
import type { SpoolBudget } from './spool-budget.ts';
import type { Spool } from './spool.ts';

/** Settings of a lane. */
export interface LaneSettings {
  /** A batch is sealed at this many raw bytes. Firehose's buffer size. */
  readonly flushBytes: number;
  /** A batch is sealed at this age, in milliseconds. Firehose's buffer interval. */
  readonly flushAgeMs: number;
}

/** What a lane is made of. Spool, shelf and budget are shared by all lanes; pipeline and window are its own. */
export interface LaneParts {
  readonly pipeline: Pipeline;
  readonly window: DedupWindow;
  readonly spool: Spool;
  readonly shelf: Shelf;
  readonly budget: SpoolBudget;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly settings: LaneSettings;
}
