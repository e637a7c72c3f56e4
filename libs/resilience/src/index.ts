// Create and operate pipelines
export { createPipeline } from './pipeline/create-pipeline.ts';
export type {
  ExecuteArguments,
  ExecuteOptions,
  FallbackValue,
  MayRetry,
  Pipeline,
  PipelineControl,
  PipelineDeps,
} from './pipeline/pipeline.ts';
export { Command } from './pipeline/command.ts';

// Calls and their results
export type { CallFallback, CallOptions } from './call/call-options.ts';
export type { Outcome } from './call/outcome.ts';
export type { AttemptContext, Work } from './call/work.ts';

// Settings
export type {
  BreakerSpec,
  BulkheadSpec,
  CacheSpec,
  ChaosRule,
  ChaosSpec,
  FallbackCall,
  FallbackCondition,
  FallbackKind,
  FallbackSpec,
  PipelineSpec,
  RetryBudgetSpec,
  RetrySpec,
  ShedSpec,
  TimeoutSpec,
} from './settings/pipeline-spec.ts';
export type { PipelinePatch, PipelineSettings } from './settings/pipeline-settings.ts';
export { attemptsMax } from './settings/attempts-max.ts';
export { retryBudgetDefaults } from './settings/defaults.ts';
export { applyPatch } from './settings/resolve-settings.ts';
export { chaosRuleRanges, type SettingPath, type SettingRange, settingRanges } from './settings/setting-ranges.ts';

// Errors
export { CodedError } from './errors/coded-error.ts';
export { classifyError, type ErrorClass } from './errors/error-class.ts';
export {
  AttemptTimeoutError,
  BulkheadFullError,
  BulkheadWaitExceededError,
  ChaosFaultError,
  CircuitOpenError,
  DeadlineExceededError,
  FallbacksFullError,
  PipelineClosedError,
  PipelineSettingsError,
  QueueFullError,
  RejectedError,
  type RejectionCode,
  type RejectionDetails,
  ResilienceError,
  type ResilienceErrorCode,
  RetryBudgetSpentError,
  ShedError,
} from './errors/errors.ts';

// Events and snapshots
export type {
  AttemptResult,
  BreakerMode,
  BreakerStateName,
  CallResult,
  PipelineEvent,
  PipelineEventOf,
  PipelineEvents,
  PipelineEventType,
  ShedLevel,
} from './telemetry/pipeline-event.ts';
export type { BreakerSnapshot, PipelineSnapshot } from './telemetry/pipeline-snapshot.ts';

// Load shedding
export { type LoadSource, priorities, type Priority } from './admission/load-source.ts';

// Retries
export { type BackOff, backOffMs } from './retry/back-off.ts';
export { isThrottled, parseRetryAfterMs, readRetryAfterMs } from './retry/retry-after.ts';
export type { RetryBudget } from './retry/retry-budget.ts';
export { createRetryBudget } from './retry/rolling-retry-budget.ts';

// Queue of work for an unavailable dependency
export type { FallbackQueue, QueuedReceipt, QueueEntry, ReplaySummary } from './fallback-queue/fallback-queue.ts';
export { type ConformanceCheck, fallbackQueueConformance, type QueueUnderTest } from './fallback-queue/fallback-queue-conformance.ts';

// Time
export { type Clock, sleep, type SleepOptions, systemClock } from './time/clock.ts';
export { unlessAborted } from './time/unless-aborted.ts';
