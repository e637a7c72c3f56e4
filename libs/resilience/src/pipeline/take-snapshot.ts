import type { PipelineSnapshot } from '../telemetry/pipeline-snapshot.ts';
import type { PipelineParts } from './build-parts.ts';

/** Describes the state of a pipeline now. */
export function takeSnapshot({ call, attempt, budget, cache, shedder, lifecycle }: PipelineParts): PipelineSnapshot {
  const { name, counters, events } = call;
  const { breaker, bulkhead } = attempt;
  const settings = call.settings.current;
  const limits = bulkhead?.limits;
  return {
    name,
    dependency: settings.dependency,
    ...(breaker && { breaker: breaker.snapshot() }),
    ...(limits && { bulkhead: { concurrencyMax: limits.concurrencyMax, queueMax: limits.queueMax, queued: bulkhead.queued } }),
    inFlight: counters.inFlight,
    zombies: counters.zombies,
    ...(budget && {
      retryBudget: { available: budget.available(), ratio: budget.settings.ratio, perSecondMin: budget.settings.perSecondMin },
    }),
    ...(shedder && { shed: shedder.snapshot() }),
    ...(cache && {
      cache: { entries: cache.size, entriesMax: settings.cache!.entriesMax, hits: counters.cacheHits, coalesced: counters.coalesced },
    }),
    fallbacks: { inFlight: counters.fallbacksInFlight, concurrencyMax: settings.fallbackConcurrencyMax },
    totals: counters.totals(events.listenerErrors),
    closed: lifecycle.state !== 'running',
  };
}
