import { PipelineSettingsError } from './errors.ts';
import type { PipelineSettings } from './settings.ts';

/** Setting, its value, least, most, whether it is a whole number. */
type Range = readonly [name: string, value: number, min: number, max: number, isWhole?: boolean];

/** Marks a {@link Range} of whole numbers. */
const whole = true;

/** Longest time that a timer of the platform can wait. */
const timerMsMax = 2_147_483_647;
const unbounded = Number.MAX_SAFE_INTEGER;

/** @throws PipelineSettingsError naming every setting that is out of range or contradicts another */
export function checkSettings(settings: PipelineSettings): void {
  const problems = [...rangesOf(settings)].flatMap(([name, value, min, max, isWhole = false]) => {
    const fits = value >= min && value <= max && (!isWhole || Number.isInteger(value));
    return fits ? [] : [`${name} must be ${isWhole ? 'a whole number' : 'a number'} from ${min} to ${max}, not ${value}.`];
  });
  problems.push(...contradictionsOf(settings));
  if (problems.length > 0) throw new PipelineSettingsError(settings.name, problems);
}

function* rangesOf({ timeout, retry, breaker, bulkhead, shed, cache, fallbackConcurrencyMax, chaos }: PipelineSettings): Generator<Range> {
  yield ['timeout.attemptMs', timeout.attemptMs, 1, timerMsMax];
  yield ['timeout.totalMs', timeout.totalMs, 1, timerMsMax];
  if (timeout.connectMs !== undefined) yield ['timeout.connectMs', timeout.connectMs, 1, timerMsMax];
  if (retry !== undefined) {
    yield ['retry.attemptsMax', retry.attemptsMax, 1, 10, whole];
    yield ['retry.baseMs', retry.baseMs, 0, timerMsMax];
    yield ['retry.factor', retry.factor, 1, 100];
    yield ['retry.waitMsMax', retry.waitMsMax, 0, timerMsMax];
    yield ['retry.retryAfterMsMax', retry.retryAfterMsMax, 0, timerMsMax];
    yield ['retry.budget.ratio', retry.budget.ratio, 0, 1];
    yield ['retry.budget.perSecondMin', retry.budget.perSecondMin, 0, 1_000_000];
    yield ['retry.budget.windowSeconds', retry.budget.windowSeconds, 1, 60];
  }
  if (breaker !== undefined) {
    yield ['breaker.windowMs', breaker.windowMs, 100, timerMsMax];
    yield ['breaker.buckets', breaker.buckets, 1, 100, whole];
    yield ['breaker.volumeMin', breaker.volumeMin, 1, unbounded, whole];
    yield ['breaker.failureShareMax', breaker.failureShareMax, 0.01, unbounded];
    yield ['breaker.slowMs', breaker.slowMs, 0, timerMsMax];
    yield ['breaker.slowShareMax', breaker.slowShareMax, 0.01, unbounded];
    yield ['breaker.openMs', breaker.openMs, 1, timerMsMax];
    yield ['breaker.openFactor', breaker.openFactor, 1, 100];
    yield ['breaker.openMsMax', breaker.openMsMax, 1, timerMsMax];
    yield ['breaker.openJitter', breaker.openJitter, 0, 1];
    yield ['breaker.probes', breaker.probes, 1, 100, whole];
    yield ['breaker.rampMs', breaker.rampMs, 0, timerMsMax];
  }
  if (bulkhead !== undefined) {
    yield ['bulkhead.concurrencyMax', bulkhead.concurrencyMax, 1, 1_000_000, whole];
    yield ['bulkhead.queueMax', bulkhead.queueMax, 0, 1_000_000, whole];
    yield ['bulkhead.queueWaitMsMax', bulkhead.queueWaitMsMax, 0, timerMsMax];
  }
  if (shed !== undefined) {
    yield ['shed.eventLoopDelayMsFrom', shed.eventLoopDelayMsFrom, 0, timerMsMax];
    yield ['shed.eventLoopDelayMsFull', shed.eventLoopDelayMsFull, 0, timerMsMax];
    yield ['shed.heapUsedShareFrom', shed.heapUsedShareFrom, 0, 1];
    yield ['shed.heapUsedShareFull', shed.heapUsedShareFull, 0, 1];
    yield ['shed.holdMs', shed.holdMs, 0, timerMsMax];
    yield ['shed.retryAfterMs', shed.retryAfterMs, 0, timerMsMax];
  }
  if (cache !== undefined) {
    yield ['cache.freshMs', cache.freshMs, 0, unbounded];
    yield ['cache.staleMsMax', cache.staleMsMax, 0, unbounded];
    yield ['cache.entriesMax', cache.entriesMax, 1, 1_000_000, whole];
  }
  yield ['fallbackConcurrencyMax', fallbackConcurrencyMax, 1, 1_000_000, whole];
  for (const rule of chaos.rules) {
    if (rule.rate !== undefined) yield ['chaos.rules.rate', rule.rate, 0, 1];
    if (rule.kind === 'latency') yield ['chaos.rules.ms', rule.ms, 0, timerMsMax];
  }
}

function* contradictionsOf({ name, timeout, breaker, shed, cache, fallbacks, chaos }: PipelineSettings): Generator<string> {
  if (!/^[a-z][a-z0-9-]{0,63}$/.test(name)) yield 'name must be lower-case letters, digits and hyphens, a letter first, at most 64.';
  if (timeout.connectMs !== undefined && timeout.connectMs > timeout.attemptMs) yield 'timeout.connectMs must not be above timeout.attemptMs.';
  if (timeout.attemptMs > timeout.totalMs) yield 'timeout.attemptMs must not be above timeout.totalMs.';
  if (breaker !== undefined && breaker.openMs > breaker.openMsMax) yield 'breaker.openMs must not be above breaker.openMsMax.';
  if (shed !== undefined && shed.eventLoopDelayMsFrom >= shed.eventLoopDelayMsFull) yield 'shed.eventLoopDelayMsFrom must be below shed.eventLoopDelayMsFull.';
  if (shed !== undefined && shed.heapUsedShareFrom >= shed.heapUsedShareFull) yield 'shed.heapUsedShareFrom must be below shed.heapUsedShareFull.';
  if (fallbacks.includes('cache') && cache === undefined) yield 'the cache fallback needs cache.';
  if (chaos.rules.length > 0 && !chaos.allowed) yield 'chaos.rules need chaos.allowed.';
}
