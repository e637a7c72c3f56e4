import { attemptsMaxDefault } from './attempts-max.ts';
import { PipelineSettingsError } from '../errors/errors.ts';
import { retryBudgetDefaults } from '../retry/rolling-retry-budget.ts';
import type { PipelinePatch, PipelineSettings } from './pipeline-settings.ts';
import type { CacheSpec, PipelineSpec } from './pipeline-spec.ts';

type Declared = { [Policy in keyof PipelineSpec]: Readonly<PipelineSpec[Policy]> };

/** Fills every default in. Nothing is checked here. */
export function settingsOf(spec: Declared): PipelineSettings {
  const timeout = { attemptMs: 10_000, totalMs: 30_000, ...spec.timeout };
  return {
    name: spec.name,
    dependency: spec.dependency ?? spec.name,
    timeout,
    ...(spec.retry && { retry: { attemptsMax: attemptsMaxDefault, baseMs: 100, factor: 2, waitMsMax: 20_000, retryAfterMsMax: 20_000, ...spec.retry, budget: { ...retryBudgetDefaults, ...spec.retry.budget } } }),
    ...(spec.breaker && { breaker: { ...breakerDefaults, slowMs: timeout.attemptMs / 2, ...spec.breaker } }),
    ...(spec.bulkhead && { bulkhead: { concurrencyMax: 25, queueMax: 0, queueWaitMsMax: 1000, ...spec.bulkhead } }),
    ...(spec.shed && { shed: { eventLoopDelayMsFrom: 100, eventLoopDelayMsFull: 500, heapUsedShareFrom: 0.85, heapUsedShareFull: 0.95, holdMs: 1000, retryAfterMs: 1000, ...spec.shed } }),
    ...(spec.cache && { cache: cacheOf(spec.cache) }),
    fallbacks: (spec.fallbacks ?? []).map(({ kind }) => kind),
    fallbackConcurrencyMax: spec.fallbackConcurrencyMax ?? 10,
    chaos: { allowed: spec.chaos?.allowed ?? false, rules: spec.chaos?.rules ?? [] },
  };
}

/** Its numbers: what is asked of each answer is no setting. */
function cacheOf({ keeps: _keeps, ...given }: CacheSpec): Required<Omit<CacheSpec, 'keeps'>> {
  return { freshMs: 0, staleMsMax: 3_600_000, entriesMax: 1000, coalesce: true, ...given };
}

const breakerDefaults = {
  windowMs: 10_000,
  buckets: 10,
  volumeMin: 20,
  failureShareMax: 0.5,
  slowShareMax: 0.8,
  openMs: 5000,
  openFactor: 2,
  openMsMax: 60_000,
  openJitter: 0.2,
  probes: 3,
  rampMs: 0,
};

/**
 * The settings after a change.
 * @throws PipelineSettingsError when a policy is not part of the pipeline
 */
export function patched(settings: PipelineSettings, patch: PipelinePatch): PipelineSettings {
  const problems: string[] = [];
  for (const policy of ['retry', 'breaker', 'bulkhead', 'shed', 'cache'] as const) {
    if (patch[policy] !== undefined && settings[policy] === undefined) problems.push(`${policy} is not part of this pipeline.`);
  }
  if (patch.chaos !== undefined && !settings.chaos.allowed) problems.push('chaos is not allowed for this pipeline.');
  if (problems.length > 0) throw new PipelineSettingsError(settings.name, problems);
  return {
    ...settings,
    timeout: { ...settings.timeout, ...patch.timeout },
    ...(settings.retry && { retry: { ...settings.retry, ...patch.retry, budget: { ...settings.retry.budget, ...patch.retry?.budget } } }),
    ...(settings.breaker && { breaker: { ...settings.breaker, ...patch.breaker } }),
    ...(settings.bulkhead && { bulkhead: { ...settings.bulkhead, ...patch.bulkhead } }),
    ...(settings.shed && { shed: { ...settings.shed, ...patch.shed } }),
    ...(settings.cache && { cache: { ...settings.cache, ...patch.cache } }),
    fallbackConcurrencyMax: patch.fallbackConcurrencyMax ?? settings.fallbackConcurrencyMax,
    chaos: { allowed: settings.chaos.allowed, rules: patch.chaos?.rules ?? settings.chaos.rules },
  };
}
