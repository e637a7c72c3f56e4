export { audit, type AuditOptions, type AuditResult } from './audit/audit.ts';
export { diagnose, type Finding } from './diagnose/diagnose.ts';
export { OperationError, type OperationErrorCode } from './errors.ts';
export type { LogRange } from './kafka/kafka-log.ts';
export { readTopic, type ReadTopicOptions } from './kafka/read-topic.ts';
export { findEvents } from './lake/find-events.ts';
export type { FoundRow } from './lake/find-rows.ts';
export { landedEnds, type LandedEnd } from './lake/landed-ends.ts';
export { openLake, type Lake, type LakeObjects, type LakeRows, type LakeSettings } from './lake/open-lake.ts';
export { counted, grouped } from './numbers.ts';
export type { OperationOptions, Progress } from './progress.ts';
export {
  rebuildProjection,
  type ProjectionTotals,
  type RebuildProjectionOptions,
  type RebuildProjectionResult,
} from './projection/rebuild-projection.ts';
export { editableReject, identityOf, type EditableReject } from './rejects/editable-reject.ts';
export { listRejects, readReject, readRejects, type ListedRejects, type RejectsOptions } from './rejects/list-rejects.ts';
export {
  recentRejects,
  type RecentReject,
  type RecentRejects,
  type RecentRejectsOptions,
  type RejectPlace,
} from './rejects/recent-rejects.ts';
export { redriveRejects, type RedriveOptions, type RedriveResult } from './rejects/redrive.ts';
export type { CorrectionText, RedrivenLine } from './rejects/redrive-plan.ts';
export { rejectFinder, type RejectedRecord } from './rejects/reject-files.ts';
export { repairTable, type MissingFile, type RepairOptions, type RepairResult } from './repair/repair.ts';
export {
  repairUndecodable,
  type FoundBatch,
  type RepairUndecodableOptions,
  type RepairUndecodableResult,
} from './repair/repair-undecodable.ts';
export { differencesMax, type Comparison, type ComparedDay, type ComparedRange, type Difference } from './replay/compare-tables.ts';
export { replayTable, type ReplayOptions, type ReplayReport } from './replay/replay.ts';
export { replayTableName } from './replay/replay-plan.ts';
export type { SinkProgram } from './replay/replay-sink.ts';
export { checkStore, type CheckedClaim, type CheckStoreOptions, type StoreReport } from './store/check-store.ts';
export { kafkaAccessFor, openTarget, type RedriveTarget, type Target, type TargetNames } from './target.ts';
export { traceEvent, type EventPlace, type EventTrace, type TracedBatch, type TracedRow, type TraceOptions } from './trace/trace-event.ts';
