import type { RejectionCode } from '../errors/errors.ts';
import type { FallbackKind } from '../settings/pipeline-spec.ts';
import type { CallResult } from './pipeline-event.ts';
import type { PipelineSnapshot } from './pipeline-snapshot.ts';

/** Counters of a pipeline since its start. */
export class Counters {
  calls = 0;
  /** Calls without an answer. */
  active = 0;
  /** Work that runs, zombies included. */
  inFlight = 0;
  /** Work that runs although its caller no longer waits. */
  zombies = 0;
  /** Fallbacks that run. */
  fallbacksInFlight = 0;
  attempts = 0;
  retries = 0;
  timeouts = 0;
  fallbackFailures = 0;
  chaosInjections = 0;
  cacheHits = 0;
  coalesced = 0;
  readonly results: Record<CallResult, number> = { succeeded: 0, cached: 0, 'fell-back': 0, failed: 0, rejected: 0, aborted: 0 };
  readonly fallbacks: Record<FallbackKind, number> = { cache: 0, queue: 0, stub: 0, silent: 0 };
  readonly rejections: Record<RejectionCode, number> = {
    'circuit-open': 0,
    'bulkhead-full': 0,
    'bulkhead-wait-exceeded': 0,
    shed: 0,
    'deadline-exceeded': 0,
    'retry-budget-spent': 0,
    'fallbacks-full': 0,
    'pipeline-closed': 0,
  };

  /** Whether no call, work or fallback is running. */
  get idle(): boolean {
    return this.active === 0 && this.inFlight === 0 && this.fallbacksInFlight === 0;
  }

  totals(listenerErrors: number): PipelineSnapshot['totals'] {
    const { calls, attempts, retries, timeouts, fallbackFailures, chaosInjections } = this;
    return {
      calls,
      results: { ...this.results },
      attempts,
      retries,
      timeouts,
      rejections: { ...this.rejections },
      fallbacks: { ...this.fallbacks },
      fallbackFailures,
      chaosInjections,
      listenerErrors,
    };
  }
}
