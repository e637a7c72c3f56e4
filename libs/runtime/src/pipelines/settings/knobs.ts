import type { PipelineSpec } from '@millrace/resilience';

/** Policies whose settings are numbers. */
export type KnobPolicy = 'timeout' | 'retry' | 'breaker' | 'bulkhead' | 'shed' | 'cache';

/** One number of a pipeline that an operator may set. */
export interface Knob {
  /** Policy it belongs to; undefined for the pipeline itself. */
  readonly policy: KnobPolicy | undefined;
  /** Where it stands in the policy: `attemptMs`, `budget.ratio`. */
  readonly field: string;
  /** End of the environment key. */
  readonly suffix: string;
  /** Whether it is a whole number. */
  readonly whole: boolean;
  /** Least value that is taken. */
  readonly minimum: number;
  /** Largest value that is taken. */
  readonly maximum: number;
  /** Value where the spec leaves it open; undefined where it stays open. The library's own default. */
  readonly fallback: number | undefined;
  /** What it is, with its unit. */
  readonly description: string;
}

const hourMs = 3_600_000;

const knob = (policy: KnobPolicy | undefined, field: string, suffix: string, whole: boolean, range: readonly [number, number], fallback: number | undefined, description: string): Knob => ({
  policy,
  field,
  suffix,
  whole,
  minimum: range[0],
  maximum: range[1],
  fallback,
  description,
});

/** Everything that the environment and the admin endpoint may set. A policy's knobs exist only where the pipeline has the policy; a time limit always. */
export const knobs: readonly Knob[] = [
  knob('timeout', 'connectMs', 'CONNECT_TIMEOUT_MS', true, [1, hourMs], undefined, 'Time to connect, in milliseconds'),
  knob('timeout', 'attemptMs', 'ATTEMPT_TIMEOUT_MS', true, [1, hourMs], 10_000, 'Time of one attempt, in milliseconds'),
  knob('timeout', 'totalMs', 'TOTAL_TIMEOUT_MS', true, [1, 24 * hourMs], 30_000, 'Time of a whole call with its retries and waits, in milliseconds'),
  knob('retry', 'attemptsMax', 'RETRY_ATTEMPTS_MAX', true, [1, 10], 3, 'Most attempts of one call, the first included'),
  knob('retry', 'baseMs', 'RETRY_BASE_MS', true, [1, hourMs], 100, 'Bound of the first back-off, in milliseconds'),
  knob('retry', 'factor', 'RETRY_FACTOR', false, [1, 10], 2, 'Growth of the bound with each attempt'),
  knob('retry', 'waitMsMax', 'RETRY_WAIT_MS_MAX', true, [1, hourMs], 20_000, 'Largest bound of a back-off, in milliseconds'),
  knob('retry', 'retryAfterMsMax', 'RETRY_AFTER_MS_MAX', true, [0, hourMs], 20_000, 'Longest Retry-After that is obeyed, in milliseconds'),
  knob('retry', 'budget.ratio', 'RETRY_BUDGET_RATIO', false, [0, 1], 0.2, 'Retries earned by each call'),
  knob('retry', 'budget.perSecondMin', 'RETRY_BUDGET_PER_SECOND_MIN', false, [0, 1000], 10, 'Retries granted each second whatever the traffic'),
  knob('retry', 'budget.windowSeconds', 'RETRY_BUDGET_WINDOW_SECONDS', true, [1, 60], 10, 'Seconds over which unspent retries are kept'),
  knob('breaker', 'windowMs', 'BREAKER_WINDOW_MS', true, [100, hourMs], 10_000, 'Length of the sliding window, in milliseconds'),
  knob('breaker', 'buckets', 'BREAKER_BUCKETS', true, [1, 100], 10, 'Buckets of the window'),
  knob('breaker', 'volumeMin', 'BREAKER_VOLUME_MIN', true, [1, 1_000_000], 20, 'Calls in the window below which the circuit stays closed'),
  knob('breaker', 'failureShareMax', 'BREAKER_FAILURE_SHARE_MAX', false, [0.01, 2], 0.5, 'Share of failures at which the circuit opens; above 1 never'),
  knob('breaker', 'slowMs', 'BREAKER_SLOW_MS', true, [1, hourMs], undefined, 'An answer later than this is slow, in milliseconds; default half of the time of an attempt'),
  knob('breaker', 'slowShareMax', 'BREAKER_SLOW_SHARE_MAX', false, [0.01, 2], 0.8, 'Share of slow answers at which the circuit opens; above 1 never'),
  knob('breaker', 'openMs', 'BREAKER_OPEN_MS', true, [1, hourMs], 5000, 'Shortest time the circuit stays open, in milliseconds'),
  knob('breaker', 'openFactor', 'BREAKER_OPEN_FACTOR', false, [1, 10], 2, 'Growth of the open time with each failed probe'),
  knob('breaker', 'openMsMax', 'BREAKER_OPEN_MS_MAX', true, [1, hourMs], 60_000, 'Longest time the circuit stays open, in milliseconds'),
  knob('breaker', 'openJitter', 'BREAKER_OPEN_JITTER', false, [0, 1], 0.2, 'Share of the open time that is random'),
  knob('breaker', 'probes', 'BREAKER_PROBES', true, [1, 100], 3, 'Calls let through to probe, all of which must succeed'),
  knob('breaker', 'rampMs', 'BREAKER_RAMP_MS', true, [0, hourMs], 0, 'Time after closing in which the share of calls let through grows to all, in milliseconds'),
  knob('bulkhead', 'concurrencyMax', 'BULKHEAD_MAX', true, [1, 100_000], 25, 'Most calls at once'),
  knob('bulkhead', 'queueMax', 'BULKHEAD_QUEUE_MAX', true, [0, 1_000_000], 0, 'Most calls that wait for their turn'),
  knob('bulkhead', 'queueWaitMsMax', 'BULKHEAD_QUEUE_WAIT_MS_MAX', true, [1, hourMs], 1000, 'Longest wait for a turn, in milliseconds'),
  knob('shed', 'eventLoopDelayMsFrom', 'SHED_DELAY_MS_FROM', true, [1, 60_000], 100, 'Delay of the event loop at which shedding begins, in milliseconds'),
  knob('shed', 'eventLoopDelayMsFull', 'SHED_DELAY_MS_FULL', true, [1, 60_000], 500, 'Delay of the event loop at which all but critical work is shed, in milliseconds'),
  knob('shed', 'heapUsedShareFrom', 'SHED_HEAP_SHARE_FROM', false, [0, 1], 0.85, 'Share of the heap at which shedding begins'),
  knob('shed', 'heapUsedShareFull', 'SHED_HEAP_SHARE_FULL', false, [0, 1], 0.95, 'Share of the heap at which all but critical work is shed'),
  knob('shed', 'holdMs', 'SHED_HOLD_MS', true, [0, hourMs], 1000, 'How long load must stay lower before less is shed, in milliseconds'),
  knob('shed', 'retryAfterMs', 'SHED_RETRY_AFTER_MS', true, [0, hourMs], 1000, 'What a shed caller is told to wait, in milliseconds'),
  knob('cache', 'freshMs', 'CACHE_FRESH_MS', true, [0, 24 * hourMs], 0, 'Age below which an answer is given without a call, in milliseconds'),
  knob('cache', 'staleMsMax', 'CACHE_STALE_MS_MAX', true, [0, 30 * 24 * hourMs], hourMs, 'Age up to which an answer may stand in for a failed call, in milliseconds'),
  knob('cache', 'entriesMax', 'CACHE_ENTRIES_MAX', true, [1, 1_000_000], 1000, 'Most answers kept'),
  knob(undefined, 'fallbackConcurrencyMax', 'FALLBACKS_MAX', true, [1, 100_000], 10, 'Most fallbacks at once'),
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
