import { auditTable, Ledger, type AuditOptions, type AuditReport, type LaneId, type ObjectStore } from '@millrace/lake';
import { DedupWindow } from '../dedup-window.ts';
import { Pipeline, type PipelineParts } from '../pipeline.ts';
import { Shelf } from '../shelf.ts';
import type { SinkObserver } from '../sink-events.ts';
import type { SpoolBudget } from '../spool-budget.ts';

/** Makes the parts in which the rules of the ledger live, so that a test can leave one rule out. */
export interface Makers {
  readonly ledger: (store: ObjectStore, lane: LaneId) => Ledger;
  readonly pipeline: (parts: PipelineParts) => Pipeline;
  readonly window: (offsets: number) => DedupWindow;
  readonly shelf: (budget: SpoolBudget, observe: SinkObserver) => Shelf;
  /**
   * @param n how many ids the world has given out
   * @param position the offset at which the lane stands
   */
  readonly batchId: (n: number, position: number) => string;
  /** The audit behind `./millrace audit` and `GET /v1/audit`. */
  readonly audit: (options: AuditOptions) => Promise<AuditReport>;
}

/** The sink as it is. */
export const soundMakers: Makers = {
  ledger: (store, lane) => new Ledger(store, lane),
  pipeline: (parts) => new Pipeline(parts),
  window: (offsets) => new DedupWindow(offsets),
  shelf: (budget, observe) => new Shelf(budget, observe),
  batchId: (n) => `batch-${n}`,
  audit: auditTable,
};
