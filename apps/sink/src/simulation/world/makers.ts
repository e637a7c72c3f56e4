import { auditTable, Ledger, type AuditOptions, type AuditReport, type LaneId, type ObjectStore } from '@millrace/lake';
import { DedupWindow } from '../../dedup/dedup-window.ts';
import { BatchSteps, type BatchStepsDeps } from '../../batch/batch-steps.ts';
import { OrphanedBatches } from '../../spool/orphaned-batches.ts';
import type { SinkObserver } from '../../sink-events.ts';
import type { SpoolBudget } from '../../spool/budget/spool-budget.ts';

/** Makes the parts that implement the rules of the ledger, so that a test can omit one rule. */
export interface Makers {
  readonly ledger: (store: ObjectStore, lane: LaneId) => Ledger;
  readonly steps: (parts: BatchStepsDeps) => BatchSteps;
  readonly window: (offsets: number) => DedupWindow;
  readonly orphans: (budget: SpoolBudget, observe: SinkObserver) => OrphanedBatches;
  /**
   * @param n how many ids the world has given out
   * @param position the offset of the lane
   */
  readonly batchId: (n: number, position: number) => string;
  /** The audit behind `./millrace audit` and `GET /v1/audit`. */
  readonly audit: (options: AuditOptions) => Promise<AuditReport>;
}

/** The sink as it is. */
export const soundMakers: Makers = {
  ledger: (store, lane) => new Ledger(store, lane),
  steps: (parts) => new BatchSteps(parts),
  window: (offsets) => new DedupWindow(offsets),
  orphans: (budget, observe) => new OrphanedBatches(budget, observe),
  batchId: (n) => `batch-${n}`,
  audit: auditTable,
};
