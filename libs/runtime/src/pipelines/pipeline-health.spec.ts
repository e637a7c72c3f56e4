import { describe, expect, it } from 'vitest';
import { HealthRegistry } from '../health/health-registry.ts';
import { checkPipelines } from './pipeline-health.ts';
import { PipelineRegistry } from './pipeline-registry.ts';
import { breakerFigures, FedPipeline } from './testing/fed-pipeline.ts';

async function healthOf(...pipelines: FedPipeline[]): Promise<[status: string, ...details: (string | undefined)[]]> {
  const registry = new PipelineRegistry();
  const health = new HealthRegistry({ service: 'sink' });
  checkPipelines(registry, health);
  for (const { pipeline } of pipelines) registry.register(pipeline);
  const { status, dependencies } = await health.readiness();
  return [status, ...dependencies.map(({ name, detail }) => `${name}${detail === undefined ? '' : `: ${detail}`}`)];
}

const s3 = (breaker: ReturnType<typeof breakerFigures>): FedPipeline => new FedPipeline('s3-put', { dependency: 's3' }, { breaker });

describe('checkPipelines', () => {
  it.each([
    ['closed', breakerFigures('closed')],
    ['ramping', breakerFigures('ramping')],
    ['no longer open although no call has followed', breakerFigures('half-open', { retryAfterMs: 0 })],
    ['forced closed over an open circuit', breakerFigures('open', { mode: 'forced-closed' })],
    ['disabled', breakerFigures('open', { mode: 'disabled' })],
  ])('the health is ok while the circuit is %s', async (_what, breaker) => {
    expect(await healthOf(s3(breaker))).toEqual(['ready', 'circuit-s3-put']);
  });

  it.each([
    ['open', breakerFigures('open', { retryAfterMs: 2400 }), 'calls to s3 are rejected: the circuit is open and probes in 3 s'],
    ['half open', breakerFigures('half-open'), 'calls to s3 are rejected except probes: the circuit is half open'],
    ['forced open', breakerFigures('closed', { mode: 'forced-open' }), 'calls to s3 are rejected: an operator opened the circuit'],
  ])('the health is degraded and names the dependency while the circuit is %s', async (_what, breaker, sentence) => {
    expect(await healthOf(s3(breaker))).toEqual(['degraded', `circuit-s3-put: ${sentence}`]);
  });

  it('the health repeats the last error of the dependency while the circuit is open', async () => {
    const registry = new PipelineRegistry();
    const health = new HealthRegistry({ service: 'sink' });
    checkPipelines(registry, health, (pipeline) => `the last error of ${pipeline}`);
    registry.register(s3(breakerFigures('open', { retryAfterMs: 2400 })).pipeline);
    const { dependencies } = await health.readiness();
    expect(dependencies[0]!.detail).toBe(
      'calls to s3 are rejected: the circuit is open and probes in 3 s; the last error: the last error of s3-put',
    );
  });

  it('a pipeline without a breaker has no health check', async () => expect(await healthOf(new FedPipeline('bare'))).toEqual(['ready']));
});
