import { percentile, type RollingWindow } from './rolling-window.ts';

/** Counters in Hystrix's rolling window, with the names of its stream. */
export const rollingCounts = [
  'BadRequests',
  'CollapsedRequests',
  'Emit',
  'ExceptionsThrown',
  'Failure',
  'FallbackEmit',
  'FallbackFailure',
  'FallbackMissing',
  'FallbackRejection',
  'FallbackSuccess',
  'ResponsesFromCache',
  'SemaphoreRejected',
  'ShortCircuited',
  'Success',
  'ThreadPoolRejected',
  'Timeout',
] as const;

/** One of {@link rollingCounts}. */
export type RollingCount = (typeof rollingCounts)[number];

/** Facts about a command besides its counters. */
export interface HystrixCommandFacts {
  /** Name of the pipeline. */
  readonly name: string;
  /** Name of the service. */
  readonly group: string;
  /** Whether calls except probes are rejected now. */
  readonly circuitOpen: boolean;
  /** Number of running attempts. */
  readonly inFlight: number;
  /** Settings of the breaker. */
  readonly circuit: {
    readonly enabled: boolean;
    readonly forceOpen: boolean;
    readonly forceClosed: boolean;
    /** Number of calls in the window below which the circuit stays closed. */
    readonly minimumCalls: number;
    /** Time for which the circuit stays open, in milliseconds. */
    readonly breakDurationMs: number;
    /** Ratio of failures at which the circuit opens, in percent. */
    readonly failurePercent: number;
  };
  /** Attempt timeout in milliseconds; 0 without a timeout. */
  readonly timeoutMs: number;
  /** Maximum number of concurrent calls. */
  readonly concurrencyMax: number;
  /** Maximum number of concurrent fallbacks. */
  readonly fallbackConcurrencyMax: number;
  /** Whether the pipeline has a cache. */
  readonly cached: boolean;
}

/** Percentiles in Hystrix's stream. */
const percents = [0, 25, 50, 75, 90, 95, 99, 99.5, 100];

/** Creates one event of the stream with the field names of Hystrix dashboards and Turbine. */
export function toHystrixCommand(
  facts: HystrixCommandFacts,
  window: RollingWindow<RollingCount>,
  attempts: RollingWindow<never>,
  nowMs: number,
): Record<string, unknown> {
  const errorCount = (['Failure', 'Timeout', 'ShortCircuited', 'SemaphoreRejected', 'ThreadPoolRejected'] as const).reduce(
    (sum, kind) => sum + window.sum(kind),
    0,
  );
  const requestCount = errorCount + window.sum('Success');
  return {
    type: 'HystrixCommand',
    name: facts.name,
    group: facts.group,
    currentTime: nowMs,
    isCircuitBreakerOpen: facts.circuitOpen,
    errorPercentage: requestCount === 0 ? 0 : Math.floor((100 * errorCount) / requestCount),
    errorCount,
    requestCount,
    ...Object.fromEntries(rollingCounts.map((kind) => [`rollingCount${kind}`, window.sum(kind)])),
    currentConcurrentExecutionCount: facts.inFlight,
    rollingMaxConcurrentExecutionCount: Math.max(facts.inFlight, window.highest()),
    ...latencies('latencyExecute', attempts.latenciesMs()),
    ...latencies('latencyTotal', window.latenciesMs()),
    propertyValue_circuitBreakerRequestVolumeThreshold: facts.circuit.minimumCalls,
    propertyValue_circuitBreakerSleepWindowInMilliseconds: facts.circuit.breakDurationMs,
    propertyValue_circuitBreakerErrorThresholdPercentage: facts.circuit.failurePercent,
    propertyValue_circuitBreakerForceOpen: facts.circuit.forceOpen,
    propertyValue_circuitBreakerForceClosed: facts.circuit.forceClosed,
    propertyValue_circuitBreakerEnabled: facts.circuit.enabled,
    propertyValue_executionIsolationStrategy: 'SEMAPHORE',
    propertyValue_executionIsolationThreadTimeoutInMilliseconds: facts.timeoutMs,
    propertyValue_executionTimeoutInMilliseconds: facts.timeoutMs,
    propertyValue_executionIsolationThreadInterruptOnTimeout: true,
    propertyValue_executionIsolationThreadPoolKeyOverride: null,
    propertyValue_executionIsolationSemaphoreMaxConcurrentRequests: facts.concurrencyMax,
    propertyValue_fallbackIsolationSemaphoreMaxConcurrentRequests: facts.fallbackConcurrencyMax,
    // Dashboards divide the counters by this window. The window of the circuit may differ.
    propertyValue_metricsRollingStatisticalWindowInMilliseconds: window.lengthMs,
    propertyValue_requestCacheEnabled: facts.cached,
    propertyValue_requestLogEnabled: false,
    reportingHosts: 1,
    threadPool: facts.group,
  };
}

function latencies(name: string, sorted: readonly number[]): Record<string, unknown> {
  const mean = sorted.length === 0 ? 0 : sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
  return {
    [`${name}_mean`]: Math.round(mean),
    [name]: Object.fromEntries(percents.map((percent) => [String(percent), Math.round(percentile(sorted, percent))])),
  };
}
