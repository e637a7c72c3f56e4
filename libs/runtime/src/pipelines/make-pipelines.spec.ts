import { createPipeline, type SettingPath, settingRanges } from '@millrace/resilience';
import { describe, expect, it } from 'vitest';
import { addJwksPipeline, jwksSpec } from '../auth/jwks-pipeline.ts';
import { ConfigError, StartRefusedError } from '../errors.ts';
import { createLogger } from '../logging/create-logger.ts';
import { makePipelines, pipelineProblems, type PipelinesOptions } from './make-pipelines.ts';
import { PipelineRegistry } from './pipeline-registry.ts';
import { type Knob, knobs, valueOf } from './settings/knobs.ts';

const load = { eventLoopDelayMs: () => 0, heapUsedRatio: () => 0 };

function made(options: PipelinesOptions, registry = new PipelineRegistry()): { registry: PipelineRegistry; lines: string[] } {
  const lines: string[] = [];
  const logger = createLogger({ name: 'sink', stream: { write: (line: string) => void lines.push((JSON.parse(line) as { msg: string }).msg) } });
  makePipelines(options, { registry, logger, load });
  return { registry, lines };
}

function pathOf({ policy, field }: Knob): string {
  return policy === undefined ? field : `${policy}.${field}`;
}

function failing(): never {
  throw new Error('no');
}

describe('pipelines made from specs', () => {
  it('are registered under their names', () => {
    expect(made({ specs: { s3: { name: 's3' }, kafka: { name: 'kafka' } } }).registry.list().map(({ name }) => name)).toEqual(['kafka', 's3']);
  });

  it('share the retry budget of their dependency', async () => {
    const retry = { attemptsMax: 2, baseMs: 1, budget: { ratio: 0, perSecondMin: 1, windowSeconds: 1 } };
    const { registry } = made({ specs: { get: { name: 'get', dependency: 's3', retry }, list: { name: 'list', dependency: 's3', retry }, other: { name: 'other', retry } } });
    expect(await registry.get('get').executeOutcome(failing, { idempotent: true })).toMatchObject({ attempts: 2 });
    expect(await registry.get('list').executeOutcome(failing, { idempotent: true })).toMatchObject({ attempts: 1, error: { code: 'retry-budget-spent' } });
    expect(await registry.get('other').executeOutcome(failing, { idempotent: true })).toMatchObject({ attempts: 2 });
  });

  it('refuse retry budgets of one dependency that differ, since it has one only, and name both pipelines', () => {
    const specs = {
      get: { name: 'get', dependency: 's3', retry: { budget: { ratio: 0.2 } } },
      list: { name: 'list', dependency: 's3', retry: { budget: { ratio: 0.5, windowSeconds: 5 } } },
      s3: { name: 's3', retry: {} },
      once: { name: 'once', dependency: 's3' },
    };
    expect(pipelineProblems(specs)).toEqual([
      'Pipelines get and list share the retry budget of s3, but retry.budget.ratio is 0.2 of the one and 0.5 of the other: give both the same.',
      'Pipelines get and list share the retry budget of s3, but retry.budget.windowSeconds is 10 of the one and 5 of the other: give both the same.',
    ]);
    expect(() => made({ specs })).toThrow(ConfigError);
  });

  it('say at start what one request may cost, and warn where faults may be injected', () => {
    const { registry, lines } = made({ specs: { s3: { name: 's3', retry: {}, chaos: { allowed: true } } }, callPaths: [{ request: 'GET /v1/tables', layers: ['s3'] }] });
    expect(lines).toEqual(['One request causes at most 3 attempts at a dependency: GET /v1/tables (s3 3). The limit is 12.', 'Faults may be injected into s3: the setting CHAOS_ALLOWED is on.']);
    expect(registry.callPaths?.attemptsPerRequestMax).toBe(12);
  });

  it('say at start the largest of all that is there, what the runtime asks for itself included', () => {
    const registry = new PipelineRegistry();
    addJwksPipeline({ ...jwksSpec, retry: { attemptsMax: 4 } }, { registry, logger: createLogger({ name: 'sink', level: 'silent' }), load });
    const { lines } = made({ specs: { s3: { name: 's3', retry: {} } }, callPaths: [{ request: 'GET /v1/tables', layers: ['s3'] }] }, registry);
    expect(lines).toEqual(['One request causes at most 4 attempts at a dependency: any request with a token: one fetch of the keys of its issuer (jwks 4 × fetch 1). The limit is 12.']);
    expect(registry.callPaths?.count((name) => registry.get(name).settings()).map(({ request }) => request)).toContain('GET /v1/tables');
  });

  it('refuse the start when a request could cost more than the limit', () => {
    expect(() => made({ specs: { s3: { name: 's3', retry: {} } }, callPaths: [{ request: 'GET /v1/tables', layers: ['s3'] }], attemptsPerRequestMax: 2 })).toThrow(StartRefusedError);
  });

  it('refuse settings that contradict each other, all at once, by the name of their pipeline', () => {
    const specs = { s3: { name: 's3', timeout: { attemptMs: 20, totalMs: 10 } }, kafka: { name: 'kafka', retry: { attemptsMax: 99 } } };
    expect(pipelineProblems(specs)).toEqual([expect.stringMatching(/^Pipeline s3: .*attemptMs/), expect.stringMatching(/^Pipeline kafka: .*attemptsMax/)]);
    expect(() => made({ specs })).toThrow(ConfigError);
  });
});

describe('the defaults in the environment', () => {
  it('are those of the library', () => {
    const all = createPipeline(
      { name: 'all', retry: {}, breaker: {}, bulkhead: {}, shed: {}, cache: {}, fallbacks: [{ kind: 'silent' }] },
      { load },
    );
    const settings = all.settings() as unknown as Parameters<typeof valueOf>[0];
    all.close();
    const differing = knobs.filter((knob) => knob.fallback !== undefined && knob.fallback !== valueOf(settings, knob)).map(({ policy, field }) => `${policy}.${field}`);
    expect(differing).toEqual([]);
  });

  it('are for every number that the library has, within its range', () => {
    expect(knobs.map(pathOf).toSorted()).toEqual(Object.keys(settingRanges).toSorted());
    const beyond = knobs.filter((knob) => {
      const range = settingRanges[pathOf(knob) as SettingPath];
      return knob.minimum !== range.minimum || knob.maximum > range.maximum || (range.whole && !knob.whole);
    });
    expect(beyond).toEqual([]);
  });
});
