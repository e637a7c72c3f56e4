import type { BreakerSpec, BulkheadSpec, CacheSpec, ChaosSpec, FallbackKind, RetryBudgetSpec, RetrySpec, ShedSpec, TimeoutSpec } from './pipeline-spec.ts';

/** A pipeline's settings with every default filled in. Policies that it does not have are left out. */
export interface PipelineSettings {
  /** Name of the pipeline. */
  readonly name: string;
  /** What stands at the other end. */
  readonly dependency: string;
  readonly timeout: Required<Omit<TimeoutSpec, 'connectMs'>> & Pick<TimeoutSpec, 'connectMs'>;
  readonly retry?: Required<Omit<RetrySpec, 'budget'>> & { readonly budget: Required<RetryBudgetSpec> };
  readonly breaker?: Required<BreakerSpec>;
  readonly bulkhead?: Required<BulkheadSpec>;
  readonly shed?: Required<ShedSpec>;
  readonly cache?: Required<Omit<CacheSpec, 'keeps'>>;
  /** Kinds of its fallbacks, in order. */
  readonly fallbacks: readonly FallbackKind[];
  /** Most fallbacks at once. */
  readonly fallbackConcurrencyMax: number;
  readonly chaos: Required<ChaosSpec>;
}

/** What can be changed at run time. A policy is changed field by field; one that is not part of the pipeline cannot be added. */
export interface PipelinePatch {
  readonly timeout?: TimeoutSpec;
  readonly retry?: RetrySpec;
  readonly breaker?: BreakerSpec;
  readonly bulkhead?: BulkheadSpec;
  readonly shed?: ShedSpec;
  readonly cache?: Omit<CacheSpec, 'keeps'>;
  readonly fallbackConcurrencyMax?: number;
  /** Replaces all rules. Refused unless the pipeline was made with `chaos.allowed`. */
  readonly chaos?: Pick<ChaosSpec, 'rules'>;
}
