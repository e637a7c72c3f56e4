/** What one number of a pipeline's settings may be. */
export interface SettingRange {
  /** Least value. */
  readonly minimum: number;
  /** Largest value. */
  readonly maximum: number;
  /** Whether it must be a whole number. */
  readonly whole: boolean;
}

/** Longest time that a timer of the platform can wait. */
const timerMsMax = 2_147_483_647;
/** More than any process has at once, and more votes than anybody waits for. */
const callsMax = 1_000_000;
/** A share above 1 is never reached; 2 says so as well as any other. */
const shareMax = 2;

const number = (minimum: number, maximum: number): SettingRange => ({ minimum, maximum, whole: false });
const whole = (minimum: number, maximum: number): SettingRange => ({ minimum, maximum, whole: true });
const timeMs = (minimum: number): SettingRange => number(minimum, timerMsMax);

/** The range of every number, by where it stands in the settings. */
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
  'breaker.volumeMin': whole(1, callsMax),
  'breaker.failureShareMax': number(0.01, shareMax),
  'breaker.slowMs': timeMs(0),
  'breaker.slowShareMax': number(0.01, shareMax),
  'breaker.openMs': timeMs(1),
  'breaker.openFactor': number(1, 100),
  'breaker.openMsMax': timeMs(1),
  'breaker.openJitter': number(0, 1),
  'breaker.probes': whole(1, 100),
  'breaker.rampMs': timeMs(0),
  'bulkhead.concurrencyMax': whole(1, callsMax),
  'bulkhead.queueMax': whole(0, callsMax),
  'bulkhead.queueWaitMsMax': timeMs(0),
  'shed.eventLoopDelayMsFrom': timeMs(0),
  'shed.eventLoopDelayMsFull': timeMs(0),
  'shed.heapUsedShareFrom': number(0, 1),
  'shed.heapUsedShareFull': number(0, 1),
  'shed.holdMs': timeMs(0),
  'shed.retryAfterMs': timeMs(0),
  'cache.freshMs': number(0, Number.MAX_SAFE_INTEGER),
  'cache.staleMsMax': number(0, Number.MAX_SAFE_INTEGER),
  'cache.entriesMax': whole(1, 1_000_000),
  fallbackConcurrencyMax: whole(1, callsMax),
} as const satisfies Readonly<Record<string, SettingRange>>;

/** Where a number stands in the settings: `breaker.openMs`. */
export type SettingPath = keyof typeof settingRanges;

/** Ranges of what each injected fault says. */
export const chaosRuleRanges = { rate: number(0, 1), ms: timeMs(0) } as const;
