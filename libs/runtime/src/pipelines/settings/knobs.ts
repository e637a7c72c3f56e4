import { type PipelineSpec, type SettingPath, type SettingRange, settingRanges } from '@millrace/resilience';

/** Policies whose settings are numbers. */
export type KnobPolicy = 'timeout' | 'retry' | 'breaker' | 'bulkhead' | 'shed' | 'cache';

/** One number of a pipeline that an operator may set, and its range. */
export interface Knob extends SettingRange {
  /** Policy it belongs to; undefined for the pipeline itself. */
  readonly policy: KnobPolicy | undefined;
  /** Where it stands in the policy: `attemptMs`, `budget.ratio`. */
  readonly field: string;
  /** End of the environment key. */
  readonly suffix: string;
  /** Value where the spec leaves it open; undefined where it stays open. The library's own default. */
  readonly fallback: number | undefined;
  /** What it is, with its unit. */
  readonly description: string;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** A number within the range that the library gives it. */
function number(path: SettingPath, suffix: string, fallback: number | undefined, description: string): Knob {
  const [first = '', ...rest] = path.split('.');
  const place = rest.length === 0 ? { policy: undefined, field: first } : { policy: first as KnobPolicy, field: rest.join('.') };
  return { ...place, suffix, ...settingRanges[path], fallback, description };
}

/** A time in whole milliseconds. The library takes what a timer can wait, which is 24 days; here a time above an hour is rather a slip of the unit. */
function timeMs(path: SettingPath, suffix: string, fallback: number | undefined, description: string, maximum = hourMs): Knob {
  return { ...number(path, suffix, fallback, `${description}, in milliseconds`), whole: true, maximum };
}

/** Everything that the environment and the admin endpoint may set. A policy's knobs exist only where the pipeline has the policy; a time limit always. */
export const knobs: readonly Knob[] = [
  timeMs('timeout.connectMs', 'CONNECT_TIMEOUT_MS', undefined, 'Time to connect'),
  timeMs('timeout.attemptMs', 'ATTEMPT_TIMEOUT_MS', 10_000, 'Time of one attempt'),
  timeMs('timeout.totalMs', 'TOTAL_TIMEOUT_MS', 30_000, 'Time of a whole call with its retries and waits', dayMs),
  number('retry.attemptsMax', 'RETRY_ATTEMPTS_MAX', 3, 'Most attempts of one call, the first included'),
  timeMs('retry.baseMs', 'RETRY_BASE_MS', 100, 'Bound of the first back-off'),
  number('retry.factor', 'RETRY_FACTOR', 2, 'Growth of the bound with each attempt'),
  timeMs('retry.waitMsMax', 'RETRY_WAIT_MS_MAX', 20_000, 'Largest bound of a back-off'),
  timeMs('retry.retryAfterMsMax', 'RETRY_AFTER_MS_MAX', 20_000, 'Longest Retry-After that is obeyed'),
  number('retry.budget.ratio', 'RETRY_BUDGET_RATIO', 0.2, 'Retries earned by each call'),
  number('retry.budget.perSecondMin', 'RETRY_BUDGET_PER_SECOND_MIN', 10, 'Retries granted each second whatever the traffic'),
  number('retry.budget.windowSeconds', 'RETRY_BUDGET_WINDOW_SECONDS', 10, 'Seconds over which unspent retries are kept'),
  timeMs('breaker.windowMs', 'BREAKER_WINDOW_MS', 10_000, 'Length of the sliding window'),
  number('breaker.buckets', 'BREAKER_BUCKETS', 10, 'Buckets of the window'),
  number('breaker.minimumCalls', 'BREAKER_MINIMUM_CALLS', 20, 'Calls in the window below which the circuit stays closed'),
  number('breaker.failureRatio', 'BREAKER_FAILURE_RATIO', 0.5, 'Share of failures at which the circuit opens; above 1 never'),
  timeMs('breaker.slowCallMs', 'BREAKER_SLOW_CALL_MS', undefined, 'An answer later than this is slow (default half of the time of an attempt)'),
  number('breaker.slowCallRatio', 'BREAKER_SLOW_CALL_RATIO', 0.8, 'Share of slow answers at which the circuit opens; above 1 never'),
  timeMs('breaker.breakDurationMs', 'BREAKER_BREAK_DURATION_MS', 5000, 'Shortest time the circuit stays open'),
  number('breaker.breakDurationFactor', 'BREAKER_BREAK_DURATION_FACTOR', 2, 'Growth of the open time with each failed probe'),
  timeMs('breaker.breakDurationMsMax', 'BREAKER_BREAK_DURATION_MS_MAX', 60_000, 'Longest time the circuit stays open'),
  number('breaker.breakDurationJitter', 'BREAKER_BREAK_DURATION_JITTER', 0.2, 'Share of the open time that is random'),
  number('breaker.probes', 'BREAKER_PROBES', 3, 'Calls let through to probe, all of which must succeed'),
  timeMs('breaker.rampMs', 'BREAKER_RAMP_MS', 0, 'Time after closing in which the share of calls let through grows to all'),
  number('bulkhead.concurrencyMax', 'BULKHEAD_MAX', 25, 'Most calls at once'),
  number('bulkhead.queueMax', 'BULKHEAD_QUEUE_MAX', 0, 'Most calls that wait for their turn'),
  timeMs('bulkhead.queueWaitMsMax', 'BULKHEAD_QUEUE_WAIT_MS_MAX', 1000, 'Longest wait for a turn'),
  timeMs('shed.eventLoopDelayMsFrom', 'SHED_DELAY_MS_FROM', 100, 'Delay of the event loop at which shedding begins'),
  timeMs('shed.eventLoopDelayMsFull', 'SHED_DELAY_MS_FULL', 500, 'Delay of the event loop at which all but critical work is shed'),
  number('shed.heapUsedRatioFrom', 'SHED_HEAP_RATIO_FROM', 0.85, 'Share of the heap at which shedding begins'),
  number('shed.heapUsedRatioFull', 'SHED_HEAP_RATIO_FULL', 0.95, 'Share of the heap at which all but critical work is shed'),
  timeMs('shed.holdMs', 'SHED_HOLD_MS', 1000, 'How long load must stay lower before less is shed'),
  timeMs('shed.retryAfterMs', 'SHED_RETRY_AFTER_MS', 1000, 'What a shed caller is told to wait'),
  timeMs('cache.freshMs', 'CACHE_FRESH_MS', 0, 'Age below which an answer is given without a call', 30 * dayMs),
  timeMs('cache.staleMsMax', 'CACHE_STALE_MS_MAX', hourMs, 'Age up to which an answer may stand in for a failed call', 30 * dayMs),
  number('cache.entriesMax', 'CACHE_ENTRIES_MAX', 1000, 'Most answers kept'),
  number('fallbackConcurrencyMax', 'FALLBACKS_MAX', 10, 'Most fallbacks at once'),
];

/** The knobs that a pipeline has. */
export function knobsOf(spec: Partial<PipelineSpec>): readonly Knob[] {
  return knobs.filter(({ policy, field }) => {
    if (field === 'connectMs') return spec.timeout?.connectMs !== undefined;
    if (policy === undefined) return (spec.fallbacks?.length ?? 0) > 0;
    return policy === 'timeout' || spec[policy] !== undefined;
  });
}

/** What a spec says of a knob. */
export function valueOf(spec: Partial<PipelineSpec>, { policy, field }: Knob): number | undefined {
  let value: unknown = policy === undefined ? spec : spec[policy];
  for (const part of field.split('.')) value = (value as Record<string, unknown> | undefined)?.[part];
  return value as number | undefined;
}
