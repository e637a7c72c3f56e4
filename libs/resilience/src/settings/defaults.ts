import type { BreakerSpec, BulkheadSpec, CacheSpec, RetryBudgetSpec, RetrySpec, ShedSpec } from './pipeline-spec.ts';

export const timeoutDefaults = { attemptMs: 10_000, totalMs: 30_000 } as const;

export const retryDefaults: Required<Omit<RetrySpec, 'budget'>> = {
  attemptsMax: 3,
  baseMs: 100,
  factor: 2,
  waitMsMax: 20_000,
  retryAfterMsMax: 20_000,
};

/** Defaults of a retry budget: 20 % of the calls plus 10 per second, over 10 s. */
export const retryBudgetDefaults: Required<RetryBudgetSpec> = { ratio: 0.2, perSecondMin: 10, windowSeconds: 10 };

/** The default of `slowCallMs` depends on the attempt timeout, so it is not here. */
export const breakerDefaults: Required<Omit<BreakerSpec, 'slowCallMs'>> = {
  windowMs: 10_000,
  buckets: 10,
  minimumCalls: 20,
  failureRatio: 0.5,
  slowCallRatio: 0.8,
  breakDurationMs: 5000,
  breakDurationFactor: 2,
  breakDurationMsMax: 60_000,
  breakDurationJitter: 0.2,
  probes: 3,
  rampMs: 0,
};

export const bulkheadDefaults: Required<BulkheadSpec> = { concurrencyMax: 25, queueMax: 0, queueWaitMsMax: 1000 };

export const shedDefaults: Required<ShedSpec> = {
  eventLoopDelayMsFrom: 100,
  eventLoopDelayMsFull: 500,
  heapUsedRatioFrom: 0.85,
  heapUsedRatioFull: 0.95,
  holdMs: 1000,
  retryAfterMs: 1000,
};

export const cacheDefaults: Required<Omit<CacheSpec, 'isCacheable'>> = {
  freshMs: 0,
  staleMsMax: 3_600_000,
  entriesMax: 1000,
  coalesce: true,
};

export const fallbackConcurrencyMaxDefault = 10;
