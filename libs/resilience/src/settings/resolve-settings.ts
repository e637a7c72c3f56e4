import { PipelineSettingsError } from '../errors/errors.ts';
import {
  breakerDefaults,
  bulkheadDefaults,
  cacheDefaults,
  fallbackConcurrencyMaxDefault,
  retryBudgetDefaults,
  retryDefaults,
  shedDefaults,
  timeoutDefaults,
} from './defaults.ts';
import type { PipelinePatch, PipelineSettings } from './pipeline-settings.ts';
import type { CacheSpec, PipelineSpec, RetrySpec } from './pipeline-spec.ts';

type Declared = { [Policy in keyof PipelineSpec]: Readonly<PipelineSpec[Policy]> };

/** Adds all defaults to a spec. It does not check the values; see `checkSettings`. */
export function resolveSettings(spec: Declared): PipelineSettings {
  const timeout = { ...timeoutDefaults, ...spec.timeout };
  return {
    name: spec.name,
    dependency: spec.dependency ?? spec.name,
    timeout,
    ...(spec.retry && { retry: resolveRetry(spec.retry) }),
    ...(spec.breaker && { breaker: { ...breakerDefaults, slowCallMs: timeout.attemptMs / 2, ...spec.breaker } }),
    ...(spec.bulkhead && { bulkhead: { ...bulkheadDefaults, ...spec.bulkhead } }),
    ...(spec.shed && { shed: { ...shedDefaults, ...spec.shed } }),
    ...(spec.cache && { cache: resolveCache(spec.cache) }),
    fallbacks: (spec.fallbacks ?? []).map(({ kind }) => kind),
    fallbackConcurrencyMax: spec.fallbackConcurrencyMax ?? fallbackConcurrencyMaxDefault,
    chaos: { allowed: spec.chaos?.allowed ?? false, rules: spec.chaos?.rules ?? [] },
  };
}

function resolveRetry(spec: RetrySpec): NonNullable<PipelineSettings['retry']> {
  return { ...retryDefaults, ...spec, budget: { ...retryBudgetDefaults, ...spec.budget } };
}

/** `isCacheable` is a function, so it is not part of the settings. */
function resolveCache({ isCacheable: _isCacheable, ...numbers }: CacheSpec): NonNullable<PipelineSettings['cache']> {
  return { ...cacheDefaults, ...numbers };
}

/**
 * Returns the settings with a patch applied. It does not check the values; see `checkSettings`.
 * @throws PipelineSettingsError when the patch names a policy that is not part of the pipeline
 */
export function applyPatch(settings: PipelineSettings, patch: PipelinePatch): PipelineSettings {
  const problems: string[] = [];
  for (const policy of ['retry', 'breaker', 'bulkhead', 'shed', 'cache'] as const) {
    if (patch[policy] !== undefined && settings[policy] === undefined) problems.push(`${policy} is not part of this pipeline.`);
  }
  if (patch.chaos !== undefined && !settings.chaos.allowed) problems.push('chaos is not allowed for this pipeline.');
  if (problems.length > 0) throw new PipelineSettingsError(settings.name, problems);
  const { retry, breaker, bulkhead, shed, cache } = settings;
  return {
    ...settings,
    timeout: { ...settings.timeout, ...patch.timeout },
    ...(retry && { retry: { ...retry, ...patch.retry, budget: { ...retry.budget, ...patch.retry?.budget } } }),
    ...(breaker && { breaker: { ...breaker, ...patch.breaker } }),
    ...(bulkhead && { bulkhead: { ...bulkhead, ...patch.bulkhead } }),
    ...(shed && { shed: { ...shed, ...patch.shed } }),
    ...(cache && { cache: { ...cache, ...patch.cache } }),
    fallbackConcurrencyMax: patch.fallbackConcurrencyMax ?? settings.fallbackConcurrencyMax,
    chaos: { allowed: settings.chaos.allowed, rules: patch.chaos?.rules ?? settings.chaos.rules },
  };
}
