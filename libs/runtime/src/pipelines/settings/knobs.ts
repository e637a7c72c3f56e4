import { type PipelineSpec, type SettingPath, type SettingRange, settingRanges } from '@millrace/resilience';

/** Policies with numeric settings. */
export type KnobPolicy = 'timeout' | 'retry' | 'breaker' | 'bulkhead' | 'shed' | 'cache';

/** One number of a pipeline that an operator may set, with its range. */
export interface Knob extends SettingRange {
  /** Policy of the number; undefined for the pipeline itself. */
  readonly policy: KnobPolicy | undefined;
  /** Path in the policy, such as `attemptMs` or `budget.ratio`. */
  readonly field: string;
  /** End of the name of the environment setting. */
  readonly suffix: string;
  /** Default of the library, used if the spec has no value; undefined without a default. */
  readonly fallback: number | undefined;
  /** Description with the unit. */
  readonly description: string;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** A number with the range of the library. */
function number(path: SettingPath, suffix: string, fallback: number | undefined, description: string): Knob {
  const [first = '', ...rest] = path.split('.');
  const place = rest.length === 0 ? { policy: undefined, field: first } : { policy: first as KnobPolicy, field: rest.join('.') };
  return { ...place, suffix, ...settingRanges[path], fallback, description };
}

/** A time in whole milliseconds. The library allows 24 days, the limit of a timer. Here a time above an hour is probably a wrong unit. */
function timeMs(path: SettingPath, suffix: string, fallback: number | undefined, description: string, maximum = hourMs): Knob {
  return { ...number(path, suffix, fallback, `${description}, in milliseconds`), whole: true, maximum };
}

/**
 * All numbers that the environment and the admin endpoint may set. A pipeline has the knobs of its policies and always those of its time
 * limits.
 */
export const knobs: readonly Knob[] = [
  timeMs('timeout.connectMs', 'CONNECT_TIMEOUT_MS', undefined, 'Time to connect'),
  timeMs('timeout.attemptMs', 'ATTEMPT_TIMEOUT_MS', 10_000, 'Time of one attempt'),
  timeMs('timeout.totalMs', 'TOTAL_TIMEOUT_MS', 30_000, 'Time limit of the whole call, including retries and waits', dayMs),
  number('retry.attemptsMax', 'RETRY_ATTEMPTS_MAX', 3, 'Maximum number of attempts of one call, the first one included'),
  timeMs('retry.baseMs', 'RETRY_BASE_MS', 100, 'Upper bound of the first back-off'),
  number('retry.factor', 'RETRY_FACTOR', 2, 'Factor by which the bound of the back-off grows with each attempt'),
  timeMs('retry.waitMsMax', 'RETRY_WAIT_MS_MAX', 20_000, 'Maximum of the bound of the back-off'),
  timeMs('retry.retryAfterMsMax', 'RETRY_AFTER_MS_MAX', 20_000, 'Longest Retry-After that the pipeline waits for'),
  number('retry.budget.ratio', 'RETRY_BUDGET_RATIO', 0.2, 'Retries that the budget allows per call'),
  number('retry.budget.perSecondMin', 'RETRY_BUDGET_PER_SECOND_MIN', 10, 'Retries per second that the budget allows with any traffic'),
  number('retry.budget.windowSeconds', 'RETRY_BUDGET_WINDOW_SECONDS', 10, 'Length of the window of the budget, in seconds'),
  timeMs('breaker.windowMs', 'BREAKER_WINDOW_MS', 10_000, 'Length of the sliding window'),
  number('breaker.buckets', 'BREAKER_BUCKETS', 10, 'Number of buckets of the window'),
  number('breaker.minimumCalls', 'BREAKER_MINIMUM_CALLS', 20, 'Number of calls in the window below which the circuit stays closed'),
  number('breaker.failureRatio', 'BREAKER_FAILURE_RATIO', 0.5, 'Ratio of failures at which the circuit opens; above 1 means never'),
  timeMs(
    'breaker.slowCallMs',
    'BREAKER_SLOW_CALL_MS',
    undefined,
    'A call that takes longer than this is slow (default: half of the attempt timeout)',
  ),
  number('breaker.slowCallRatio', 'BREAKER_SLOW_CALL_RATIO', 0.8, 'Ratio of slow calls at which the circuit opens; above 1 means never'),
  timeMs('breaker.breakDurationMs', 'BREAKER_BREAK_DURATION_MS', 5000, 'Shortest time that the circuit stays open'),
  number(
    'breaker.breakDurationFactor',
    'BREAKER_BREAK_DURATION_FACTOR',
    2,
    'Factor by which the open time grows with each failed recovery',
  ),
  timeMs('breaker.breakDurationMsMax', 'BREAKER_BREAK_DURATION_MS_MAX', 60_000, 'Longest time that the circuit stays open'),
  number('breaker.breakDurationJitter', 'BREAKER_BREAK_DURATION_JITTER', 0.2, 'Random share of the open time'),
  number('breaker.probes', 'BREAKER_PROBES', 3, 'Number of calls that may pass a half-open circuit; all must succeed to close it'),
  timeMs('breaker.rampMs', 'BREAKER_RAMP_MS', 0, 'Time after closing over which the ratio of admitted calls grows to 1'),
  number('bulkhead.concurrencyMax', 'BULKHEAD_MAX', 25, 'Maximum number of concurrent calls'),
  number('bulkhead.queueMax', 'BULKHEAD_QUEUE_MAX', 0, 'Maximum number of calls that wait for a permit'),
  timeMs('bulkhead.queueWaitMsMax', 'BULKHEAD_QUEUE_WAIT_MS_MAX', 1000, 'Longest wait for a permit'),
  timeMs('shed.eventLoopDelayMsFrom', 'SHED_DELAY_MS_FROM', 100, 'Event-loop delay at which shedding begins'),
  timeMs('shed.eventLoopDelayMsFull', 'SHED_DELAY_MS_FULL', 500, 'Event-loop delay at which all but critical calls are shed'),
  number('shed.heapUsedRatioFrom', 'SHED_HEAP_RATIO_FROM', 0.85, 'Used ratio of the heap at which shedding begins'),
  number('shed.heapUsedRatioFull', 'SHED_HEAP_RATIO_FULL', 0.95, 'Used ratio of the heap at which all but critical calls are shed'),
  timeMs('shed.holdMs', 'SHED_HOLD_MS', 1000, 'Time for which the load must stay lower before fewer calls are shed'),
  timeMs('shed.retryAfterMs', 'SHED_RETRY_AFTER_MS', 1000, 'Retry-After of a shed call'),
  timeMs('cache.freshMs', 'CACHE_FRESH_MS', 0, 'Age below which a cached answer is returned without a call', 30 * dayMs),
  timeMs('cache.staleMsMax', 'CACHE_STALE_MS_MAX', hourMs, 'Maximum age of a cached answer that replaces a failed call', 30 * dayMs),
  number('cache.entriesMax', 'CACHE_ENTRIES_MAX', 1000, 'Maximum number of cached answers'),
  number('fallbackConcurrencyMax', 'FALLBACKS_MAX', 10, 'Maximum number of concurrent fallbacks'),
];

/** Lists the knobs of a pipeline. */
export function listKnobs(spec: Partial<PipelineSpec>): readonly Knob[] {
  return knobs.filter(({ policy, field }) => {
    if (field === 'connectMs') return spec.timeout?.connectMs !== undefined;
    if (policy === undefined) return (spec.fallbacks?.length ?? 0) > 0;
    return policy === 'timeout' || spec[policy] !== undefined;
  });
}

/** Reads the value of a knob from a spec. */
export function readKnob(spec: Partial<PipelineSpec>, { policy, field }: Knob): number | undefined {
  let value: unknown = policy === undefined ? spec : spec[policy];
  for (const part of field.split('.')) value = (value as Record<string, unknown> | undefined)?.[part];
  return value as number | undefined;
}
