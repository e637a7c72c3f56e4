import type { Pipeline, PipelineEvent, RejectionCode } from '@millrace/resilience';
import type { PipelineRegistry } from '../pipeline-registry.ts';
import { type HystrixCommandFacts, toHystrixCommand, type RollingCount } from './hystrix-command.ts';
import { RollingWindow } from './rolling-window.ts';

/** Dependencies of {@link HystrixCommands}. */
export interface HystrixCommandsOptions {
  /** Name of the service; the group in Hystrix. */
  readonly service: string;
  /** Returns epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number;
  /** Returns numbers in [0, 1) for the sample of latencies. Default `Math.random`. */
  readonly random?: () => number;
}

interface Windows {
  readonly pipeline: Pipeline;
  /** Counters, durations of calls, and the maximum concurrency of attempts. */
  readonly calls: RollingWindow<RollingCount>;
  /** Durations of attempts, which are Hystrix's executions. */
  readonly attempts: RollingWindow<never>;
}

/**
 * Shows every pipeline as a Hystrix command. An attempt is one Hystrix request, because the circuit counts attempts. A call with one
 * retry therefore appears as two requests. A rejection without a Hystrix name uses the most similar one.
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

  /** Lists all commands in the order of their names. */
  list(): readonly Record<string, unknown>[] {
    return [...this.#all.values()]
      .toSorted((a, b) => (a.pipeline.name < b.pipeline.name ? -1 : 1))
      .map(({ pipeline, calls, attempts }) => toHystrixCommand(factsOf(pipeline, this.#service), calls, attempts, this.#now()));
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
    // Both events precede the decrease of inFlight, so its value is the maximum since the last decrease.
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
      // The budget denied another attempt. The failed attempt has been counted already.
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
