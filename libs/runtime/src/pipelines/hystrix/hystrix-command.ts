import { percentile, type RollingWindow } from './rolling-window.ts';

/** What Hystrix counts in its rolling window, as its stream calls it. */
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

/** What the stream says of a command besides its counters. */
export interface HystrixCommandFacts {
  /** Name of the pipeline. */
  readonly name: string;
  /** The service. */
  readonly group: string;
  /** Whether calls are refused now, but for probes. */
  readonly circuitOpen: boolean;
  /** Attempts that run now. */
  readonly inFlight: number;
  /** What the breaker is set to. */
  readonly circuit: {
    readonly enabled: boolean;
    readonly forceOpen: boolean;
    readonly forceClosed: boolean;
    /** Calls in the window below which the circuit does not open. */
    readonly minimumCalls: number;
    /** How long it stays open, in milliseconds. */
    readonly breakDurationMs: number;
    /** Share of failures at which it opens, in percent. */
    readonly failurePercent: number;
  };
  /** Time limit of an attempt in milliseconds; 0 when there is none. */
  readonly timeoutMs: number;
  /** Most calls at once. */
  readonly concurrencyMax: number;
  /** Most fallbacks at once. */
  readonly fallbackConcurrencyMax: number;
  /** Whether the pipeline keeps answers. */
  readonly cached: boolean;
}

/** Percentiles that Hystrix publishes. */
const percents = [0, 25, 50, 75, 90, 95, 99, 99.5, 100];

/** One event of the stream, in the field names that Hystrix dashboards and Turbine read. */
export function hystrixCommandOf(facts: HystrixCommandFacts, window: RollingWindow<RollingCount>, attempts: RollingWindow<never>, nowMs: number): Record<string, unknown> {
  const errorCount = (['Failure', 'Timeout', 'ShortCircuited', 'SemaphoreRejected', 'ThreadPoolRejected'] as const).reduce((sum, kind) => sum + window.sum(kind), 0);
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
    // Dashboards divide the counters by it: it is their window, which the circuit does not judge by.
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
