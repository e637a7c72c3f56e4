import type { Pipeline, PipelineEvent, RejectionCode } from '@millrace/resilience';
import type { PipelineRegistry } from '../pipeline-registry.ts';
import { type HystrixCommandFacts, hystrixCommandOf, type RollingCount } from './hystrix-command.ts';
import { RollingWindow } from './rolling-window.ts';

/** What the commands need from outside. */
export interface HystrixCommandsOptions {
  /** Name of the service; Hystrix calls it the group. */
  readonly service: string;
  /** Wall clock in epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number;
  /** Numbers in [0, 1) for the sample of latencies. Default `Math.random`. */
  readonly random?: () => number;
}

interface Windows {
  readonly pipeline: Pipeline;
  /** Counters, the time of whole calls, and how many attempts ran at once. */
  readonly calls: RollingWindow<RollingCount>;
  /** The time of attempts: what Hystrix calls execution. */
  readonly attempts: RollingWindow<never>;
}

/**
 * Every pipeline as a Hystrix command. An attempt is what Hystrix calls a request, because it is what the circuit counts; a call that is tried again shows as
 * two. Refusals that Hystrix has no name for stand under the nearest one.
 */
export class HystrixCommands {
  readonly #all = new Map<string, Windows>();
  readonly #service: string;
  readonly #now: () => number;

  constructor(registry: PipelineRegistry, { service, now = Date.now, random = Math.random }: HystrixCommandsOptions) {
    this.#service = service;
    this.#now = now;
    registry.observe((pipeline) => {
      const windows = { pipeline, calls: new RollingWindow<RollingCount>(now, random), attempts: new RollingWindow<never>(now, random) };
      this.#all.set(pipeline.name, windows);
      const hasFallback = pipeline.settings().fallbacks.length > 0;
      pipeline.events.subscribe((event) => record(event, windows, hasFallback));
    });
  }

  /** All commands now, by name. */
  list(): readonly Record<string, unknown>[] {
    return [...this.#all.values()]
      .toSorted((a, b) => (a.pipeline.name < b.pipeline.name ? -1 : 1))
      .map(({ pipeline, calls, attempts }) => hystrixCommandOf(factsOf(pipeline, this.#service), calls, attempts, this.#now()));
  }
}

const rejectedAs: Readonly<Record<Exclude<RejectionCode, 'retry-budget-spent'>, RollingCount>> = {
  'circuit-open': 'ShortCircuited',
  'pipeline-closed': 'ShortCircuited',
  'bulkhead-full': 'SemaphoreRejected',
  'bulkhead-wait-exceeded': 'SemaphoreRejected',
  shed: 'ThreadPoolRejected',
  'deadline-exceeded': 'Timeout',
  'fallbacks-full': 'FallbackRejection',
};

function record(event: PipelineEvent, { pipeline, calls, attempts }: Windows, hasFallback: boolean): void {
  switch (event.type) {
    // Both are told before the number falls: where it stands then is the most that there were since it last fell.
    case 'ZombieEnded':
      calls.reach(pipeline.inFlight);
      return;
    case 'AttemptFinished':
      calls.reach(pipeline.inFlight);
      if (event.result === 'rejected' || event.result === 'aborted') return;
      attempts.observe(event.durationMs);
      if (event.result === 'succeeded') calls.count('Success');
      else if (event.result === 'timed-out') calls.count('Timeout');
      else calls.count(event.errorClass === 'invalid' ? 'BadRequests' : 'Failure');
      return;
    case 'CallFinished':
      calls.observe(event.durationMs);
      if (event.result !== 'failed' && event.result !== 'rejected') return;
      calls.count('ExceptionsThrown');
      if (!hasFallback) calls.count('FallbackMissing');
      return;
    case 'CallRejected':
      // What the budget denies is another attempt; the one that failed has been counted.
      if (event.code !== 'retry-budget-spent') calls.count(rejectedAs[event.code]);
      return;
    case 'CacheHit':
      calls.count('ResponsesFromCache');
      return;
    case 'CallCoalesced':
      calls.count('CollapsedRequests');
      return;
    case 'FallbackUsed':
      calls.count('FallbackSuccess');
      return;
    case 'FallbackFailed':
      calls.count('FallbackFailure');
      return;
    default:
      return;
  }
}

function factsOf(pipeline: Pipeline, group: string): HystrixCommandFacts {
  const { timeout, breaker, bulkhead, cache, fallbackConcurrencyMax } = pipeline.settings();
  const { breaker: circuit, inFlight } = pipeline.snapshot();
  const mode = circuit?.mode;
  return {
    name: pipeline.name,
    group,
    circuitOpen: mode === 'forced-open' || (mode === 'auto' && (circuit?.state === 'open' || circuit?.state === 'half-open')),
    inFlight,
    circuit: {
      enabled: mode !== undefined && mode !== 'disabled',
      forceOpen: mode === 'forced-open',
      forceClosed: mode === 'forced-closed',
      minimumCalls: breaker?.minimumCalls ?? 0,
      breakDurationMs: breaker?.breakDurationMs ?? 0,
      failurePercent: Math.round(100 * (breaker?.failureRatio ?? 0)),
    },
    timeoutMs: timeout.attemptMs,
    concurrencyMax: bulkhead?.concurrencyMax ?? 0,
    fallbackConcurrencyMax,
    cached: cache !== undefined,
  };
}
