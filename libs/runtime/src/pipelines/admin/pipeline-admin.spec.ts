import { PipelineSettingsError, type PipelineSettings } from '@millrace/resilience';
import { describe, expect, it } from 'vitest';
import { ConfigError, ProblemError } from '../../errors.ts';
import { createLogger } from '../../logging/create-logger.ts';
import { CallPaths, type SettingsOf } from '../call-paths.ts';
import { makePipelines, type PipelinesOptions } from '../make-pipelines.ts';
import { PipelineRegistry, type PipelineRule } from '../pipeline-registry.ts';
import { breakerFigures, FedPipeline } from '../testing/fed-pipeline.ts';
import { PipelineAdmin } from './pipeline-admin.ts';

const breaker = { windowMs: 2000, buckets: 10, minimumCalls: 4, failureRatio: 0.5, slowCallMs: 500, slowCallRatio: 0.8, breakDurationMs: 300, breakDurationFactor: 2, breakDurationMsMax: 600, breakDurationJitter: 0, probes: 1, rampMs: 0 };
const retry = { attemptsMax: 2, baseMs: 1, factor: 2, waitMsMax: 10, retryAfterMsMax: 10, budget: { ratio: 0.2, perSecondMin: 1, windowSeconds: 10 } };

function admin(settings: Partial<PipelineSettings> = { breaker, retry }): { s3: FedPipeline; admin: PipelineAdmin } {
  const registry = new PipelineRegistry();
  const s3 = new FedPipeline('s3', settings, { breaker: breakerFigures('closed') });
  registry.register(s3.pipeline);
  registry.callPaths = new CallPaths([{ request: 'GET /v1/tables', layers: ['s3'], calls: 2 }], 6);
  return { s3, admin: new PipelineAdmin(registry) };
}

function problemOf(run: () => unknown): { code: string; fields: string[] | undefined; detail: string | undefined } {
  try {
    run();
  } catch (error) {
    if (error instanceof ProblemError) return { code: error.code, fields: error.details.errors?.map(({ field }) => field), detail: error.details.detail };
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('the pipelines as an operator sees them', () => {
  it('are shown with settings, figures and what one request may cost', () => {
    const { s3, admin: a } = admin();
    expect(a.list()).toEqual({
      pipelines: [{ name: 's3', dependency: 's3', settings: s3.current, snapshot: s3.figures }],
      attemptsPerRequest: { limit: 6, paths: [{ request: 'GET /v1/tables', product: '2 calls × s3 2', attemptsMax: 4, retrying: ['s3'] }] },
    });
    expect(a.one('s3').settings).toBe(s3.current);
  });

  it('are not found under another name, which names what there is', () => {
    expect(problemOf(() => admin().admin.one('s4'))).toMatchObject({ code: 'not-found', detail: 'There is no pipeline of that name; there are s3.' });
  });
});

describe('a change of a pipeline', () => {
  it('is handed to the pipeline as it was asked for', () => {
    const { s3, admin: a } = admin();
    const change = { breaker: { breakDurationMs: 700, failureRatio: 0.25 }, timeout: { attemptMs: 50 }, retry: { budget: { ratio: 0 } } };
    a.change('s3', change);
    expect(s3.patches).toEqual([change]);
    expect(s3.orders).toEqual([]);
  });

  it.each(['auto', 'forced-open', 'forced-closed', 'disabled'])('sets the circuit to %s', (mode) => {
    const { s3, admin: a } = admin();
    a.change('s3', { mode });
    expect(s3.orders).toEqual([mode]);
    expect(s3.patches).toEqual([]);
  });

  it.each([
    ['a number out of range', { breaker: { breakDurationMs: 0 } }, ['breaker.breakDurationMs']],
    ['a text for a number', { timeout: { attemptMs: '5' } }, ['timeout.attemptMs']],
    ['half a millisecond', { timeout: { attemptMs: 0.5 } }, ['timeout.attemptMs', 'timeout.attemptMs']],
    ['a field nobody knows', { breaker: { opensMs: 5 } }, ['breaker.opensMs']],
    ['a policy that the pipeline does not have', { cache: { freshMs: 5 } }, ['cache']],
    ['a mode nobody knows', { mode: 'ajar' }, ['mode']],
    ['something else than an object', [], ['']],
    ['a part of a part', { retry: { budget: { ratio: 2 } } }, ['retry.budget.ratio']],
  ])('is refused for %s, and names the field', (_what, change, fields) => {
    const { s3, admin: a } = admin();
    expect(problemOf(() => a.change('s3', change))).toMatchObject({ code: 'validation', fields });
    expect(s3.patches).toEqual([]);
  });

  it('is refused for the time to connect, which the client was built with', () => {
    const { s3, admin: a } = admin({ timeout: { connectMs: 100, attemptMs: 1000, totalMs: 3000 } });
    const problem = problemOf(() => a.change('s3', { timeout: { connectMs: 50, attemptMs: 500 } }));
    expect(problem).toEqual({ code: 'validation', fields: ['timeout.connectMs'], detail: 'timeout.connectMs takes a restart: the client was built with it; change …_CONNECT_TIMEOUT_MS' });
    expect(s3.patches).toEqual([]);
  });

  it('has no mode where there is no circuit', () => {
    expect(problemOf(() => admin({}).admin.change('s3', { mode: 'auto' }))).toMatchObject({ code: 'validation', fields: ['mode'] });
  });

  it('is refused when the library finds that settings contradict each other', () => {
    const { s3, admin: a } = admin();
    s3.update = () => {
      throw new PipelineSettingsError('s3', ['timeout.attemptMs must not be above timeout.totalMs.']);
    };
    expect(problemOf(() => a.change('s3', { timeout: { attemptMs: 9000 }, mode: 'disabled' }))).toMatchObject({ code: 'validation', detail: 'timeout.attemptMs must not be above timeout.totalMs.' });
    expect(s3.orders).toEqual([]);
  });

  it('may not bring about more attempts for one request than the service may start with', () => {
    const { s3, admin: a } = admin();
    a.change('s3', { retry: { attemptsMax: 3 } });
    expect(problemOf(() => a.change('s3', { retry: { attemptsMax: 4 } }))).toMatchObject({ code: 'validation', detail: expect.stringContaining('8 attempts') as string });
    expect(s3.patches).toHaveLength(1);
  });

  it('of a time limit counts the tries of a client that follow from it', () => {
    const client = { name: 'client', attemptsMax: (settingsOf: SettingsOf) => settingsOf('kafka').timeout.attemptMs / 100 };
    const a = made({ specs: { kafka: { name: 'kafka', timeout: { attemptMs: 6000 } } }, callPaths: [{ request: 'POST /v1/purchases', layers: ['kafka', client] }], attemptsPerRequestMax: 100 });
    expect(problemOf(() => a.change('kafka', { timeout: { attemptMs: 30_000 } }))).toMatchObject({ code: 'validation', detail: expect.stringContaining('may cause 300 attempts (kafka 1 × client 300)') as string });
    expect(a.one('kafka').settings.timeout.attemptMs).toBe(6000);
    a.change('kafka', { timeout: { attemptMs: 10_000 } });
    expect(a.list().attemptsPerRequest?.paths).toMatchObject([{ attemptsMax: 100 }]);
  });

  it('may not break a rule of the app that the start keeps to', () => {
    const answerMs = 2000;
    const rule: PipelineRule = (settingsOf) => (settingsOf('kafka').timeout.attemptMs > answerMs ? [] : ['An answer takes 2000 ms.']);
    const kafka = { name: 'kafka', timeout: { attemptMs: 6000 } };
    expect(() => made({ specs: { kafka: { ...kafka, timeout: { attemptMs: answerMs } } }, rule })).toThrow(new ConfigError(['An answer takes 2000 ms.']));
    const a = made({ specs: { kafka }, rule });
    expect(problemOf(() => a.change('kafka', { timeout: { attemptMs: answerMs } }))).toMatchObject({ code: 'validation', detail: 'An answer takes 2000 ms.' });
    expect(a.change('kafka', { timeout: { attemptMs: 2001 } }).settings.timeout.attemptMs).toBe(2001);
  });
});

function made(options: PipelinesOptions): PipelineAdmin {
  const registry = new PipelineRegistry();
  makePipelines(options, { registry, logger: createLogger({ name: 'sink', level: 'silent' }), load: { eventLoopDelayMs: () => 0, heapUsedRatio: () => 0 } });
  return new PipelineAdmin(registry);
}

describe('a change of settings that others depend on', () => {
  it('takes what is slow along while it is half of the time of an attempt, and no longer when it was set', () => {
    const a = made({ specs: { s3: { name: 's3', timeout: { attemptMs: 1000 }, breaker: {} }, glue: { name: 'glue', timeout: { attemptMs: 1000 }, breaker: { slowCallMs: 500 } }, kafka: { name: 'kafka' } } });
    expect(a.change('s3', { timeout: { attemptMs: 300 } }).settings.breaker?.slowCallMs).toBe(150);
    expect(a.change('s3', { timeout: { attemptMs: 400 }, breaker: { slowCallMs: 90 } }).settings.breaker?.slowCallMs).toBe(90);
    expect(a.change('s3', { timeout: { attemptMs: 500 } }).settings.breaker?.slowCallMs).toBe(90);
    expect(a.change('glue', { timeout: { attemptMs: 300 } }).settings.breaker?.slowCallMs).toBe(500);
    expect(a.change('kafka', { timeout: { attemptMs: 300 } }).settings).not.toHaveProperty('breaker');
  });

  it('shows a retry budget in every pipeline that shares it', () => {
    const a = made({ specs: { get: { name: 'get', dependency: 's3', retry: {} }, list: { name: 'list', dependency: 's3', retry: {} }, once: { name: 'once', dependency: 's3' }, kafka: { name: 'kafka', retry: {} } } });
    a.change('get', { retry: { budget: { ratio: 0.1 } } });
    expect(a.list().pipelines.map(({ name, settings }) => [name, settings.retry?.budget.ratio])).toEqual([['get', 0.1], ['kafka', 0.2], ['list', 0.1], ['once', undefined]]);
    expect(a.one('list').snapshot.retryBudget?.ratio).toBe(0.1);
  });
});

describe('faults', () => {
  const rules = [{ kind: 'latency', ms: 100, rate: 0.5 }, { kind: 'fault', keys: ['a'] }, { kind: 'outcome', value: null }, { kind: 'hang' }];

  it('are refused unless configuration allows them', () => {
    const { s3, admin: a } = admin();
    expect(problemOf(() => a.change('s3', { chaos: { rules } })).code).toBe('forbidden');
    expect(s3.patches).toEqual([]);
  });

  it('are injected where it does', () => {
    const { s3, admin: a } = admin({ chaos: { allowed: true, rules: [] } });
    a.change('s3', { chaos: { rules } });
    expect(s3.patches).toEqual([{ chaos: { rules } }]);
  });

  it.each([
    ['a kind nobody knows', { kind: 'smoke' }, ['chaos.rules[0].kind']],
    ['a rate above one', { kind: 'fault', rate: 2 }, ['chaos.rules[0].rate']],
    ['a latency without its time', { kind: 'latency' }, ['chaos.rules[0].ms']],
    ['a field of another kind', { kind: 'hang', ms: 5 }, ['chaos.rules[0].ms']],
  ])('are refused for %s', (_what, rule, fields) => {
    expect(problemOf(() => admin({ chaos: { allowed: true, rules: [] } }).admin.change('s3', { chaos: { rules: [rule] } }))).toMatchObject({ code: 'validation', fields });
  });
});
