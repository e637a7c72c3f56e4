import { type Static, Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../config/read-config.ts';
import { ConfigError } from '../../errors.ts';
import { chaosAllowed, pipelineSettings, pipelineSpecs } from './pipeline-settings.ts';

const pipelines = {
  s3: { dependency: 's3', timeout: { attemptMs: 30_000, totalMs: 60_000 }, retry: { attemptsMax: 2, budget: { ratio: 0.1 } }, breaker: { minimumCalls: 5 }, bulkhead: {} },
  'kafka-admin': { timeout: { connectMs: 500 }, fallbacks: [{ kind: 'silent' }] },
} as const;
const schema = Type.Object({ SINK_PORT: Type.Integer({ default: 1 }), ...pipelineSettings('SINK', pipelines) });
const read = (env: Record<string, string> = {}): Static<typeof schema> => readConfig(schema, { prefixes: ['SINK_'], env });

describe('settings of pipelines', () => {
  it('give back what the app declared when the environment says nothing', () => {
    const { s3, 'kafka-admin': admin } = pipelineSpecs('SINK', pipelines, read());
    expect(s3).toMatchObject({ name: 's3', ...pipelines.s3, retry: { attemptsMax: 2, baseMs: 100, budget: { ratio: 0.1, perSecondMin: 10 } }, chaos: { allowed: false } });
    expect(admin).toMatchObject({ name: 'kafka-admin', timeout: { connectMs: 500, attemptMs: 10_000 }, fallbacks: [{ kind: 'silent' }], fallbackConcurrencyMax: 10 });
    expect(admin).not.toHaveProperty('retry');
    expect(pipelines.s3.breaker).toEqual({ minimumCalls: 5 });
  });

  it('are moved by the environment, one by one', () => {
    const { s3 } = pipelineSpecs(
      'SINK',
      pipelines,
      read({
        SINK_S3_ATTEMPT_TIMEOUT_MS: '250',
        SINK_S3_RETRY_ATTEMPTS_MAX: '1',
        SINK_S3_RETRY_BUDGET_RATIO: '0.5',
        SINK_S3_BREAKER_BREAK_DURATION_MS: '300',
        SINK_S3_BREAKER_WINDOW_MS: '2000',
        SINK_S3_BREAKER_MINIMUM_CALLS: '3',
        SINK_S3_BULKHEAD_MAX: '7',
        SINK_S3_CHAOS_ALLOWED: 'true',
        SINK_KAFKA_ADMIN_CONNECT_TIMEOUT_MS: '9',
      }),
    );
    expect(s3.timeout).toEqual({ attemptMs: 250, totalMs: 60_000 });
    expect(s3.retry).toMatchObject({ attemptsMax: 1, budget: { ratio: 0.5 } });
    expect(s3.breaker).toMatchObject({ breakDurationMs: 300, windowMs: 2000, minimumCalls: 3 });
    expect(s3.bulkhead).toMatchObject({ concurrencyMax: 7 });
    expect(chaosAllowed({ s3 })).toEqual(['s3']);
  });

  it('are refused together with every other setting, by name and range', () => {
    const env = { SINK_PORT: 'x', SINK_S3_ATTEMPT_TIMEOUT_MS: '0', SINK_S3_BREAKER_FAILURE_RATIO: 'half', SINK_S3_CHAOS_ALLOWED: 'perhaps' };
    expect(() => read(env)).toThrow(
      new ConfigError([
        'SINK_PORT must be a whole number (it is "x").',
        'SINK_S3_ATTEMPT_TIMEOUT_MS must be at least 1 (it is "0").',
        'SINK_S3_BREAKER_FAILURE_RATIO must be a number (it is "half").',
        'SINK_S3_CHAOS_ALLOWED must be true or false (it is "perhaps").',
      ]),
    );
  });

  it('exist only for policies that the pipeline has', () => {
    expect(() => read({ SINK_KAFKA_ADMIN_RETRY_ATTEMPTS_MAX: '2' })).toThrow('SINK_KAFKA_ADMIN_RETRY_ATTEMPTS_MAX is not a known setting');
    expect(() => read({ SINK_S3_CONNECT_TIMEOUT_MS: '2' })).toThrow('SINK_S3_CONNECT_TIMEOUT_MS is not a known setting');
  });

  it('leave open what the library derives from other settings', () => {
    expect(pipelineSpecs('SINK', pipelines, read()).s3.breaker).not.toHaveProperty('slowCallMs');
    expect(pipelineSpecs('SINK', pipelines, read({ SINK_S3_BREAKER_SLOW_CALL_MS: '70' })).s3.breaker).toHaveProperty('slowCallMs', 70);
  });

  it('leave alone what is the app’s own business', () => {
    const http = { http: { timeout: { attemptMs: 5, totalMs: 5 }, shed: {}, fixed: ['timeout'] } } as const;
    const own = Type.Object(pipelineSettings('SINK', http));
    expect(pipelineSpecs('SINK', http, readConfig(own, { prefixes: ['SINK_'], env: { SINK_HTTP_SHED_HOLD_MS: '7' } })).http).toEqual({
      name: 'http',
      timeout: { attemptMs: 5, totalMs: 5 },
      shed: { eventLoopDelayMsFrom: 100, eventLoopDelayMsFull: 500, heapUsedRatioFrom: 0.85, heapUsedRatioFull: 0.95, holdMs: 7, retryAfterMs: 1000 },
      chaos: { allowed: false },
    });
    expect(() => readConfig(own, { prefixes: ['SINK_'], env: { SINK_HTTP_ATTEMPT_TIMEOUT_MS: '7' } })).toThrow('SINK_HTTP_ATTEMPT_TIMEOUT_MS is not a known setting');
  });
});
