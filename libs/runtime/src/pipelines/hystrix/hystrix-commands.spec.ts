import { describe, expect, it } from 'vitest';
import { PipelineRegistry } from '../pipeline-registry.ts';
import { breakerFigures, FedPipeline } from '../testing/fed-pipeline.ts';
import { HystrixCommands } from './hystrix-commands.ts';

function commandsOf(...pipelines: FedPipeline[]): HystrixCommands {
  const registry = new PipelineRegistry();
  const commands = new HystrixCommands(registry, { service: 'sink', now: () => 5000, random: () => 0 });
  for (const { pipeline } of pipelines) registry.register(pipeline);
  return commands;
}

const breaker = { windowMs: 2000, buckets: 10, volumeMin: 4, failureShareMax: 0.5, slowMs: 500, slowShareMax: 0.8, openMs: 300, openFactor: 2, openMsMax: 600, openJitter: 0, probes: 1, rampMs: 0 };
const attempt = (result: 'succeeded' | 'failed' | 'timed-out' | 'aborted' | 'rejected', durationMs = 10, errorClass?: 'invalid'): Parameters<FedPipeline['feed']>[0] => ({
  type: 'AttemptFinished',
  attempt: 0,
  result,
  durationMs,
  slow: false,
  ...(errorClass === undefined ? {} : { errorClass }),
});

describe('a pipeline as a Hystrix command', () => {
  it('counts attempts as requests, so that the percentage is the one the circuit judges by', () => {
    const s3 = new FedPipeline('s3');
    const commands = commandsOf(s3);
    s3.feed(attempt('succeeded'), attempt('failed', 30), attempt('timed-out', 50), attempt('failed', 5, 'invalid'), attempt('aborted'), attempt('rejected'), { type: 'CallRejected', code: 'circuit-open' });
    expect(commands.list()).toMatchObject([
      {
        type: 'HystrixCommand',
        name: 's3',
        group: 'sink',
        currentTime: 5000,
        requestCount: 4,
        errorCount: 3,
        errorPercentage: 75,
        rollingCountSuccess: 1,
        rollingCountFailure: 1,
        rollingCountTimeout: 1,
        rollingCountBadRequests: 1,
        rollingCountShortCircuited: 1,
        latencyExecute: { 0: 5, 100: 50 },
      },
    ]);
  });

  it('tells fallbacks, the cache and calls that threw', () => {
    const s3 = new FedPipeline('s3', { fallbacks: ['cache'] });
    const kafka = new FedPipeline('kafka');
    const commands = commandsOf(s3, kafka);
    const failed = { type: 'CallFinished', result: 'failed', durationMs: 70, attempts: 1 } as const;
    s3.feed(failed, { type: 'CacheHit', ageMs: 1 }, { type: 'CallCoalesced', key: 'k' }, { type: 'FallbackUsed', kind: 'cache', error: 1 }, { type: 'FallbackFailed', kind: 'cache', error: 1 }, { type: 'CallRejected', code: 'fallbacks-full' });
    kafka.feed(failed, { ...failed, result: 'fell-back' });
    const [first, second] = commands.list();
    expect(second).toMatchObject({
      name: 's3',
      rollingCountExceptionsThrown: 1,
      rollingCountFallbackMissing: 0,
      rollingCountResponsesFromCache: 1,
      rollingCountCollapsedRequests: 1,
      rollingCountFallbackSuccess: 1,
      rollingCountFallbackFailure: 1,
      rollingCountFallbackRejection: 1,
      latencyTotal: { 100: 70 },
    });
    expect(first).toMatchObject({ name: 'kafka', rollingCountExceptionsThrown: 1, rollingCountFallbackMissing: 1 });
  });

  it('shows the settings in force and where the circuit stands', () => {
    const s3 = new FedPipeline('s3', { breaker, bulkhead: { concurrencyMax: 7, queueMax: 0, queueWaitMsMax: 1 } }, { inFlight: 3, breaker: breakerFigures('half-open') });
    const commands = commandsOf(s3);
    expect(commands.list()[0]).toMatchObject({
      isCircuitBreakerOpen: true,
      currentConcurrentExecutionCount: 3,
      propertyValue_circuitBreakerEnabled: true,
      propertyValue_circuitBreakerForceOpen: false,
      propertyValue_circuitBreakerRequestVolumeThreshold: 4,
      propertyValue_circuitBreakerSleepWindowInMilliseconds: 300,
      propertyValue_circuitBreakerErrorThresholdPercentage: 50,
      propertyValue_metricsRollingStatisticalWindowInMilliseconds: 2000,
      propertyValue_executionTimeoutInMilliseconds: 1000,
      propertyValue_executionIsolationSemaphoreMaxConcurrentRequests: 7,
    });
    s3.figures = { ...s3.figures, breaker: breakerFigures('closed', { mode: 'forced-open' }) };
    expect(commands.list()[0]).toMatchObject({ isCircuitBreakerOpen: true, propertyValue_circuitBreakerForceOpen: true });
    s3.figures = { ...s3.figures, breaker: breakerFigures('open', { mode: 'disabled' }) };
    expect(commands.list()[0]).toMatchObject({ isCircuitBreakerOpen: false, propertyValue_circuitBreakerEnabled: false });
  });
});
