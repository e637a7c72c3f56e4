import { createPipeline } from '@millrace/resilience';
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

const breaker = { windowMs: 2000, buckets: 10, minimumCalls: 4, failureRatio: 0.5, slowCallMs: 500, slowCallRatio: 0.8, breakDurationMs: 300, breakDurationFactor: 2, breakDurationMsMax: 600, breakDurationJitter: 0, probes: 1, rampMs: 0 };
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

  it('counts a failure once, whether or not the budget lets it be tried again', () => {
    const s3 = new FedPipeline('s3');
    const commands = commandsOf(s3);
    for (let call = 0; call < 10; call += 1) s3.feed(attempt('failed'), { type: 'CallRejected', code: 'retry-budget-spent' });
    expect(commands.list()[0]).toMatchObject({ requestCount: 10, errorCount: 10, rollingCountFailure: 10, rollingCountThreadPoolRejected: 0 });
  });

  it('says what time its counters cover, whatever the window of the circuit', () => {
    const commands = commandsOf(new FedPipeline('s3', { breaker }), new FedPipeline('kafka'));
    expect(commands.list().map((command) => command['propertyValue_metricsRollingStatisticalWindowInMilliseconds'])).toEqual([10_000, 10_000]);
  });

  it('remembers how many attempts ran at once within its window', async () => {
    let nowMs = 0;
    const registry = new PipelineRegistry();
    const commands = new HystrixCommands(registry, { service: 'sink', now: () => nowMs });
    const s3 = registry.register(createPipeline({ name: 's3' }));
    const most = (): unknown[] => commands.list().map((command) => [command['currentConcurrentExecutionCount'], command['rollingMaxConcurrentExecutionCount']]);
    const works = [1, 2, 3].map(() => Promise.withResolvers<void>());
    const calls = works.map(({ promise }) => s3.execute(async () => await promise));
    expect(most()).toEqual([[3, 3]]);
    for (const { resolve } of works) resolve();
    await Promise.all(calls);
    expect(most()).toEqual([[0, 3]]);
    nowMs = 10_000;
    expect(most()).toEqual([[0, 0]]);
    const stubborn = Promise.withResolvers<void>();
    const caller = new AbortController();
    const left = s3.executeOutcome(async () => await stubborn.promise, { signal: caller.signal });
    caller.abort();
    await left;
    nowMs = 25_000;
    expect(most()).toEqual([[1, 1]]);
    stubborn.resolve();
    await s3.drain();
    expect(most()).toEqual([[0, 1]]);
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
      propertyValue_executionTimeoutInMilliseconds: 1000,
      propertyValue_executionIsolationSemaphoreMaxConcurrentRequests: 7,
    });
    s3.figures = { ...s3.figures, breaker: breakerFigures('closed', { mode: 'forced-open' }) };
    expect(commands.list()[0]).toMatchObject({ isCircuitBreakerOpen: true, propertyValue_circuitBreakerForceOpen: true });
    s3.figures = { ...s3.figures, breaker: breakerFigures('open', { mode: 'disabled' }) };
    expect(commands.list()[0]).toMatchObject({ isCircuitBreakerOpen: false, propertyValue_circuitBreakerEnabled: false });
  });
});
