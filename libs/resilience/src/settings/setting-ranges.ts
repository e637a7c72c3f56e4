/** Valid range of one number of a pipeline's settings. */
export interface SettingRange {
  /** Smallest value. */
  readonly minimum: number;
  /** Largest value. */
  readonly maximum: number;
  /** Whether it must be a whole number. */
  readonly whole: boolean;
}

/** Longest delay of a timer of the platform. */
const timerMsMax = 2_147_483_647;
/** Above any realistic number of concurrent calls and of calls in a window. */
const callsMax = 1_000_000;
/** No ratio exceeds 1, so a limit above 1 is never reached. 2 is enough to express "never". */
const ratioMax = 2;

const number = (minimum: number, maximum: number): SettingRange => ({ minimum, maximum, whole: false });
const whole = (minimum: number, maximum: number): SettingRange => ({ minimum, maximum, whole: true });
const timeMs = (minimum: number): SettingRange => number(minimum, timerMsMax);

/** Range of every number, by its path in the settings. */
export const settingRanges = {
  'timeout.attemptMs': timeMs(1),
  'timeout.totalMs': timeMs(1),
  'timeout.connectMs': timeMs(1),
  'retry.attemptsMax': whole(1, 10),
  'retry.baseMs': timeMs(0),
  'retry.factor': number(1, 100),
  'retry.waitMsMax': timeMs(0),
  'retry.retryAfterMsMax': timeMs(0),
  'retry.budget.ratio': number(0, 1),
  'retry.budget.perSecondMin': number(0, 1_000_000),
  'retry.budget.windowSeconds': number(1, 60),
  'breaker.windowMs': timeMs(100),
  'breaker.buckets': whole(1, 100),
  'breaker.minimumCalls': whole(1, callsMax),
  'breaker.failureRatio': number(0.01, ratioMax),
  'breaker.slowCallMs': timeMs(0),
  'breaker.slowCallRatio': number(0.01, ratioMax),
  'breaker.breakDurationMs': timeMs(1),
  'breaker.breakDurationFactor': number(1, 100),
  'breaker.breakDurationMsMax': timeMs(1),
  'breaker.breakDurationJitter': number(0, 1),
  'breaker.probes': whole(1, 100),
  'breaker.rampMs': timeMs(0),
  'bulkhead.concurrencyMax': whole(1, callsMax),
  'bulkhead.queueMax': whole(0, callsMax),
  'bulkhead.queueWaitMsMax': timeMs(0),
  'shed.eventLoopDelayMsFrom': timeMs(0),
  'shed.eventLoopDelayMsFull': timeMs(0),
  'shed.heapUsedRatioFrom': number(0, 1),
  'shed.heapUsedRatioFull': number(0, 1),
  'shed.holdMs': timeMs(0),
  'shed.retryAfterMs': timeMs(0),
  'cache.freshMs': number(0, Number.MAX_SAFE_INTEGER),
  'cache.staleMsMax': number(0, Number.MAX_SAFE_INTEGER),
  'cache.entriesMax': whole(1, 1_000_000),
  fallbackConcurrencyMax: whole(1, callsMax),
} as const satisfies Readonly<Record<string, SettingRange>>;

/** Path of a number in the settings, such as `breaker.breakDurationMs`. */
export type SettingPath = keyof typeof settingRanges;

/** Ranges of the numbers of a chaos rule. */
export const chaosRuleRanges = { rate: number(0, 1), ms: timeMs(0) } as const;
