import { PipelineSettingsError } from '../errors/errors.ts';
import type { PipelineSettings } from './pipeline-settings.ts';
import { chaosRuleRanges, type SettingRange, settingRanges } from './setting-ranges.ts';

/** A number of the settings with its path and its valid range. */
type CheckedNumber = readonly [path: string, value: number, range: SettingRange];

/** @throws PipelineSettingsError naming every setting that is out of range or contradicts another setting */
export function checkSettings(settings: PipelineSettings): void {
  const problems = [...listNumbers(settings)].flatMap(([path, value, { minimum, maximum, whole }]) => {
    const fits = value >= minimum && value <= maximum && (!whole || Number.isInteger(value));
    return fits ? [] : [`${path} must be ${whole ? 'a whole number' : 'a number'} from ${minimum} to ${maximum}, not ${value}.`];
  });
  problems.push(...findContradictions(settings));
  if (problems.length > 0) throw new PipelineSettingsError(settings.name, problems);
}

function* listNumbers(settings: PipelineSettings): Generator<CheckedNumber> {
  for (const [path, range] of Object.entries(settingRanges)) {
    const fields = path.split('.');
    const policy = settings[fields[0] as keyof PipelineSettings];
    const isUnset = path === 'timeout.connectMs' && settings.timeout.connectMs === undefined;
    if (policy !== undefined && !isUnset) yield [path, readNumber(settings, fields), range];
  }
  for (const rule of settings.chaos.rules) {
    if (rule.rate !== undefined) yield ['chaos.rules.rate', rule.rate, chaosRuleRanges.rate];
    if (rule.kind === 'latency') yield ['chaos.rules.ms', rule.ms, chaosRuleRanges.ms];
  }
}

function readNumber(settings: PipelineSettings, fields: readonly string[]): number {
  return fields.reduce<unknown>((value, field) => (value as Readonly<Record<string, unknown>>)[field], settings) as number;
}

function* findContradictions({ name, timeout, breaker, shed, cache, fallbacks, chaos }: PipelineSettings): Generator<string> {
  if (!/^[a-z][a-z0-9-]{0,63}$/.test(name)) {
    yield 'name must start with a lower-case letter and have at most 64 lower-case letters, digits and hyphens.';
  }
  if (timeout.connectMs !== undefined && timeout.connectMs > timeout.attemptMs) {
    yield 'timeout.connectMs must not be above timeout.attemptMs.';
  }
  if (timeout.attemptMs > timeout.totalMs) yield 'timeout.attemptMs must not be above timeout.totalMs.';
  if (breaker !== undefined && breaker.breakDurationMs > breaker.breakDurationMsMax)
    yield 'breaker.breakDurationMs must not be above breaker.breakDurationMsMax.';
  if (shed !== undefined && shed.eventLoopDelayMsFrom >= shed.eventLoopDelayMsFull) {
    yield 'shed.eventLoopDelayMsFrom must be below shed.eventLoopDelayMsFull.';
  }
  if (shed !== undefined && shed.heapUsedRatioFrom >= shed.heapUsedRatioFull) {
    yield 'shed.heapUsedRatioFrom must be below shed.heapUsedRatioFull.';
  }
  if (fallbacks.includes('cache') && cache === undefined) yield 'the cache fallback needs cache.';
  if (chaos.rules.length > 0 && !chaos.allowed) yield 'chaos.rules need chaos.allowed.';
}
