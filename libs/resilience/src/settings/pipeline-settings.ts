import type {
  BreakerSpec,
  BulkheadSpec,
  CacheSpec,
  ChaosSpec,
  FallbackKind,
  RetryBudgetSpec,
  RetrySpec,
  ShedSpec,
  TimeoutSpec,
} from './pipeline-spec.ts';

/** Settings of a pipeline with all defaults. A policy that the pipeline does not have is absent. */
export interface PipelineSettings {
  /** Name of the pipeline. */
  readonly name: string;
  /** Name of the dependency that the pipeline calls. */
  readonly dependency: string;
  readonly timeout: Required<Omit<TimeoutSpec, 'connectMs'>> & Pick<TimeoutSpec, 'connectMs'>;
  readonly retry?: Required<Omit<RetrySpec, 'budget'>> & { readonly budget: Required<RetryBudgetSpec> };
  readonly breaker?: Required<BreakerSpec>;
  readonly bulkhead?: Required<BulkheadSpec>;
  readonly shed?: Required<ShedSpec>;
  readonly cache?: Required<Omit<CacheSpec, 'isCacheable'>>;
  /** Kinds of the fallbacks, in order. */
  readonly fallbacks: readonly FallbackKind[];
  /** Maximum number of concurrent fallbacks. */
  readonly fallbackConcurrencyMax: number;
  readonly chaos: Required<ChaosSpec>;
}

/** Holds the settings in force, so that every policy sees a change at run time. */
export interface SettingsInForce {
  current: PipelineSettings;
}

/** Changes at run time. A policy is changed field by field. A policy that is not part of the pipeline cannot be added. */
export interface PipelinePatch {
  readonly timeout?: TimeoutSpec;
  readonly retry?: RetrySpec;
  readonly breaker?: BreakerSpec;
  readonly bulkhead?: BulkheadSpec;
  readonly shed?: ShedSpec;
  readonly cache?: Omit<CacheSpec, 'isCacheable'>;
  readonly fallbackConcurrencyMax?: number;
  /** Replaces all rules. Rejected unless the pipeline was created with `chaos.allowed`. */
  readonly chaos?: Pick<ChaosSpec, 'rules'>;
}
