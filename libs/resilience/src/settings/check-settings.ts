import { PipelineSettingsError } from '../errors/errors.ts';
import { chaosRuleRanges, type SettingRange, settingRanges } from './setting-ranges.ts';
import type { PipelineSettings } from './pipeline-settings.ts';

/** Where a number stands, what it is, and what it may be. */
type Checked = readonly [path: string, value: number, range: SettingRange];

/** @throws PipelineSettingsError naming every setting that is out of range or contradicts another */
export function checkSettings(settings: PipelineSettings): void {
  const problems = [...numbersOf(settings)].flatMap(([path, value, { minimum, maximum, whole }]) => {
    const fits = value >= minimum && value <= maximum && (!whole || Number.isInteger(value));
    return fits ? [] : [`${path} must be ${whole ? 'a whole number' : 'a number'} from ${minimum} to ${maximum}, not ${value}.`];
  });
  problems.push(...contradictionsOf(settings));
  if (problems.length > 0) throw new PipelineSettingsError(settings.name, problems);
}

function* numbersOf(settings: PipelineSettings): Generator<Checked> {
  for (const [path, range] of Object.entries(settingRanges)) {
    const fields = path.split('.');
    const policy = settings[fields[0] as keyof PipelineSettings];
    if (policy !== undefined && !(path === 'timeout.connectMs' && settings.timeout.connectMs === undefined)) yield [path, valueAt(settings, fields), range];
  }
  for (const rule of settings.chaos.rules) {
    if (rule.rate !== undefined) yield ['chaos.rules.rate', rule.rate, chaosRuleRanges.rate];
    if (rule.kind === 'latency') yield ['chaos.rules.ms', rule.ms, chaosRuleRanges.ms];
  }
}

function valueAt(settings: PipelineSettings, fields: readonly string[]): number {
  return fields.reduce<unknown>((value, field) => (value as Readonly<Record<string, unknown>>)[field], settings) as number;
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
