import { describe, expect, it } from 'vitest';
import { attemptsMax } from './attempts-max.ts';
import { createPipeline } from '../pipeline/create-pipeline.ts';
import { PipelineSettingsError } from '../errors/errors.ts';
import { settingRanges } from './setting-ranges.ts';
import type { PipelinePatch } from './pipeline-settings.ts';
import type { PipelineSpec } from './pipeline-spec.ts';
import { never, setUp } from '../testing/set-up.ts';

const full = { name: 's3', retry: {}, breaker: {}, bulkhead: {}, shed: {}, cache: {} } as const;
const load = { eventLoopDelayMs: () => 0, heapUsedRatio: () => 0 };

function problemsOf(act: () => unknown): readonly string[] {
  try {
    act();
  } catch (error) {
    if (error instanceof PipelineSettingsError) return error.problems;
    throw error;
  }
  return [];
}

describe('the settings of a pipeline', () => {
  it('every option of a declared policy has a default', () => {
    expect(setUp({ name: 's3' }).pipeline.settings()).toEqual({
      name: 's3',
      dependency: 's3',
      timeout: { attemptMs: 10_000, totalMs: 30_000 },
      fallbacks: [],
      fallbackConcurrencyMax: 10,
      chaos: { allowed: false, rules: [] },
    });
    expect(
      setUp(
        { ...full, dependency: 'aws', timeout: { attemptMs: 2000, connectMs: 500 }, fallbacks: [{ kind: 'silent' }] },
        { load },
      ).pipeline.settings(),
    ).toEqual({
      name: 's3',
      dependency: 'aws',
      timeout: { connectMs: 500, attemptMs: 2000, totalMs: 30_000 },
      retry: {
        attemptsMax: 3,
        baseMs: 100,
        factor: 2,
        waitMsMax: 20_000,
        retryAfterMsMax: 20_000,
        budget: { ratio: 0.2, perSecondMin: 10, windowSeconds: 10 },
      },
      breaker: {
        windowMs: 10_000,
        buckets: 10,
        minimumCalls: 20,
        failureRatio: 0.5,
        slowCallMs: 1000,
        slowCallRatio: 0.8,
        breakDurationMs: 5000,
        breakDurationFactor: 2,
        breakDurationMsMax: 60_000,
        breakDurationJitter: 0.2,
        probes: 3,
        rampMs: 0,
      },
      bulkhead: { concurrencyMax: 25, queueMax: 0, queueWaitMsMax: 1000 },
      shed: {
        eventLoopDelayMsFrom: 100,
        eventLoopDelayMsFull: 500,
        heapUsedRatioFrom: 0.85,
        heapUsedRatioFull: 0.95,
        holdMs: 1000,
        retryAfterMs: 1000,
      },
      cache: { freshMs: 0, staleMsMax: 3_600_000, entriesMax: 1000, coalesce: true },
      fallbacks: ['silent'],
      fallbackConcurrencyMax: 10,
      chaos: { allowed: false, rules: [] },
    });
  });

  it('createPipeline names every setting that is out of range', () => {
    const least: PipelineSpec = {
      name: 's3',
      timeout: { connectMs: 1, attemptMs: 1, totalMs: 1 },
      retry: {
        attemptsMax: 1,
        baseMs: 0,
        factor: 1,
        waitMsMax: 0,
        retryAfterMsMax: 0,
        budget: { ratio: 0, perSecondMin: 0, windowSeconds: 1 },
      },
      breaker: {
        windowMs: 100,
        buckets: 1,
        minimumCalls: 1,
        failureRatio: 0.01,
        slowCallMs: 0,
        slowCallRatio: 0.01,
        breakDurationMs: 1,
        breakDurationFactor: 1,
        breakDurationMsMax: 1,
        breakDurationJitter: 0,
        probes: 1,
        rampMs: 0,
      },
      bulkhead: { concurrencyMax: 1, queueMax: 0, queueWaitMsMax: 0 },
      shed: { eventLoopDelayMsFrom: 0, eventLoopDelayMsFull: 1, heapUsedRatioFrom: 0, heapUsedRatioFull: 0.1, holdMs: 0, retryAfterMs: 0 },
      cache: { freshMs: 0, staleMsMax: 0, entriesMax: 1 },
      fallbackConcurrencyMax: 1,
      chaos: {
        allowed: true,
        rules: [
          { kind: 'fault', rate: 0 },
          { kind: 'fault', rate: 1 },
        ],
      },
    };
    expect(problemsOf(() => createPipeline(least, { load }))).toEqual([]);
    const wrong: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
      timeout: { connectMs: 0, attemptMs: 0, totalMs: Number.NaN },
      retry: { attemptsMax: 11, baseMs: -1, factor: 0.9, waitMsMax: -1, retryAfterMsMax: -1 },
      breaker: {
        windowMs: 99,
        buckets: 0,
        minimumCalls: 0,
        failureRatio: 0,
        slowCallMs: -1,
        slowCallRatio: 0,
        breakDurationMs: 0,
        breakDurationFactor: 0.9,
        breakDurationMsMax: 0,
        breakDurationJitter: 1.1,
        probes: 101,
        rampMs: -1,
      },
      bulkhead: { concurrencyMax: 0, queueMax: -1, queueWaitMsMax: -1 },
      shed: {
        eventLoopDelayMsFrom: -1,
        eventLoopDelayMsFull: -1,
        heapUsedRatioFrom: -0.1,
        heapUsedRatioFull: 1.1,
        holdMs: -1,
        retryAfterMs: -1,
      },
      cache: { freshMs: -1, staleMsMax: -1, entriesMax: 0 },
    };
    const budget = { ratio: 1.1, perSecondMin: -1, windowSeconds: 61 };
    for (const [policy, fields] of Object.entries(wrong)) {
      for (const [field, value] of Object.entries(fields)) {
        const problems = problemsOf(() =>
          createPipeline({ ...least, [policy]: { ...(least[policy as 'timeout'] as object), [field]: value } }, { load }),
        );
        expect(problems.filter((problem) => problem.startsWith(`${policy}.${field} must be a`))).toHaveLength(1);
      }
    }
    for (const [field, value] of Object.entries(budget)) {
      expect(problemsOf(() => createPipeline({ ...least, retry: { budget: { [field]: value } } }, { load }))[0]).toMatch(
        `retry.budget.${field} must be a`,
      );
    }
    expect(problemsOf(() => createPipeline({ ...least, fallbackConcurrencyMax: 0 }, { load }))).toEqual([
      `fallbackConcurrencyMax must be a whole number from 1 to 1000000, not 0.`,
    ]);
    expect(problemsOf(() => createPipeline({ ...least, chaos: { allowed: true, rules: [{ kind: 'fault', rate: 2 }] } }, { load }))).toEqual(
      ['chaos.rules.rate must be a number from 0 to 1, not 2.'],
    );
    expect(
      problemsOf(() => createPipeline({ ...least, chaos: { allowed: true, rules: [{ kind: 'latency', ms: 3e9 }] } }, { load })),
    ).toEqual(['chaos.rules.ms must be a number from 0 to 2147483647, not 3000000000.']);
    expect(problemsOf(() => createPipeline({ name: 's3', bulkhead: { concurrencyMax: 1.5 } }))).toEqual([
      'bulkhead.concurrencyMax must be a whole number from 1 to 1000000, not 1.5.',
    ]);
    expect(problemsOf(() => createPipeline({ name: 's3', timeout: { attemptMs: 1.5 } }))).toEqual([]);
  });

  it('each number is valid from its minimum to its maximum and not beyond', () => {
    for (const [path, { minimum, maximum, whole }] of Object.entries(settingRanges)) {
      const refused = (value: number): number => {
        const changed = path.split('.').reduceRight<unknown>((inner, field) => ({ [field]: inner }), value) as Partial<PipelineSpec>;
        return problemsOf(() => createPipeline({ ...full, ...changed }, { load })).filter((problem) =>
          problem.startsWith(`${path} must be ${whole ? 'a whole number' : 'a number'} from `),
        ).length;
      };
      expect([path, ...[minimum, maximum, minimum - 0.001, maximum + 1, minimum + 0.5].map(refused)]).toEqual([
        path,
        0,
        0,
        1,
        1,
        whole ? 1 : 0,
      ]);
    }
  });

  it('createPipeline names settings that contradict each other', () => {
    expect(problemsOf(() => setUp({ name: 's3', timeout: { connectMs: 200, attemptMs: 100, totalMs: 50 } }))).toEqual([
      'timeout.connectMs must not be above timeout.attemptMs.',
      'timeout.attemptMs must not be above timeout.totalMs.',
    ]);
    expect(problemsOf(() => setUp({ name: 's3', breaker: { breakDurationMs: 10, breakDurationMsMax: 9 } }))).toEqual([
      'breaker.breakDurationMs must not be above breaker.breakDurationMsMax.',
    ]);
    expect(
      problemsOf(() =>
        setUp(
          { name: 's3', shed: { eventLoopDelayMsFrom: 5, eventLoopDelayMsFull: 5, heapUsedRatioFrom: 0.5, heapUsedRatioFull: 0.5 } },
          { load },
        ),
      ),
    ).toEqual([
      'shed.eventLoopDelayMsFrom must be below shed.eventLoopDelayMsFull.',
      'shed.heapUsedRatioFrom must be below shed.heapUsedRatioFull.',
    ]);
    expect(problemsOf(() => setUp({ name: 's3', fallbacks: [{ kind: 'cache' }] }))).toEqual(['the cache fallback needs cache.']);
    expect(problemsOf(() => setUp({ name: 's3', chaos: { allowed: false, rules: [{ kind: 'fault' }] } }))).toEqual([
      'chaos.rules need chaos.allowed.',
    ]);
    expect(problemsOf(() => createPipeline({ name: 's3', shed: {} }))).toEqual(['shed needs a source of load.']);
  });

  it('the name of a pipeline has a limited form', () => {
    for (const name of ['s3', 'a', 'kafka-produce', 'a'.repeat(64)]) expect(problemsOf(() => createPipeline({ name }))).toEqual([]);
    expect(problemsOf(() => createPipeline({ name: '' }))).toEqual([
      'name must start with a lower-case letter and have at most 64 lower-case letters, digits and hyphens.',
    ]);
    for (const name of ['', 'S3', '3s', '-a', 'a_b', 'a'.repeat(65), 'a\n'])
      expect(problemsOf(() => createPipeline({ name }))).toHaveLength(1);
  });
});

describe('a change at run time', () => {
  it('a change affects only the settings that it names', () => {
    const { pipeline, told } = setUp(full, { load });
    const before = pipeline.settings();
    pipeline.update({
      timeout: { attemptMs: 500 },
      retry: { baseMs: 7, budget: { ratio: 0.1 } },
      breaker: { breakDurationMs: 3 },
      bulkhead: { queueMax: 5 },
      shed: { holdMs: 1 },
      cache: { freshMs: 9 },
      fallbackConcurrencyMax: 4,
    });
    expect(pipeline.settings()).toEqual({
      ...before,
      timeout: { ...before.timeout, attemptMs: 500 },
      retry: { ...before.retry!, baseMs: 7, budget: { ...before.retry!.budget, ratio: 0.1 } },
      breaker: { ...before.breaker!, breakDurationMs: 3, slowCallMs: 250 },
      bulkhead: { ...before.bulkhead!, queueMax: 5 },
      shed: { ...before.shed!, holdMs: 1 },
      cache: { ...before.cache!, freshMs: 9 },
      fallbackConcurrencyMax: 4,
    });
    expect(pipeline.snapshot()).toMatchObject({ retryBudget: { ratio: 0.1 }, bulkhead: { queueMax: 5 }, fallbacks: { concurrencyMax: 4 } });
    expect(told('SettingsChanged')).toMatchObject([
      {
        changed: [
          'timeout.attemptMs',
          'retry.baseMs',
          'retry.budget',
          'breaker.slowCallMs',
          'breaker.breakDurationMs',
          'bulkhead.queueMax',
          'shed.holdMs',
          'cache.freshMs',
          'fallbackConcurrencyMax',
        ],
      },
    ]);
  });

  it('a change of the attempt timeout keeps a slowCallMs that was set explicitly', () => {
    const { pipeline } = setUp({ name: 's3', breaker: { slowCallMs: 100 } });
    pipeline.update({ timeout: { attemptMs: 500 } });
    expect(pipeline.settings().breaker).toMatchObject({ slowCallMs: 100 });
    const later = setUp({ name: 's3', breaker: {} }).pipeline;
    later.update({ timeout: { attemptMs: 300 }, breaker: { slowCallMs: 150 } });
    later.update({ timeout: { attemptMs: 400 } });
    expect(later.settings().breaker).toMatchObject({ slowCallMs: 150 });
  });

  it('a change of one policy keeps the other policies', () => {
    const { pipeline } = setUp({ ...full, timeout: { connectMs: 100 } }, { load });
    const before = pipeline.settings();
    pipeline.update({ cache: { freshMs: 9 } });
    expect(pipeline.settings()).toEqual({ ...before, cache: { ...before.cache!, freshMs: 9 } });
    expect(before.timeout.connectMs).toBe(100);
  });

  it('an invalid change changes nothing', () => {
    const { pipeline, told } = setUp({ name: 's3', breaker: {} });
    const before = pipeline.settings();
    const patches: readonly PipelinePatch[] = [
      { retry: {} },
      { bulkhead: {} },
      { shed: {} },
      { cache: {} },
      { breaker: { breakDurationMs: 0 } },
      { timeout: { attemptMs: 40_000 } },
    ];
    expect(patches.map((patch) => problemsOf(() => pipeline.update(patch)))).toEqual([
      ['retry is not part of this pipeline.'],
      ['bulkhead is not part of this pipeline.'],
      ['shed is not part of this pipeline.'],
      ['cache is not part of this pipeline.'],
      ['breaker.breakDurationMs must be a number from 1 to 2147483647, not 0.'],
      ['timeout.attemptMs must not be above timeout.totalMs.'],
    ]);
    expect(pipeline.settings()).toBe(before);
    expect(told('SettingsChanged')).toEqual([]);
  });

  it('a change that keeps the attempt timeout keeps its timer', async () => {
    const { pipeline, clock } = setUp({ name: 's3', bulkhead: {} });
    void pipeline.executeOutcome(never);
    pipeline.update({ bulkhead: { queueMax: 5 }, timeout: { totalMs: 20_000 } });
    void pipeline.executeOutcome(never);
    expect(clock.pending).toBe(1);
  });

  it('running attempts keep the timeout with which they started', async () => {
    const { pipeline, clock } = setUp({ name: 's3', timeout: { attemptMs: 100 } });
    const before = pipeline.executeOutcome(never);
    pipeline.update({ timeout: { attemptMs: 50 } });
    const after = pipeline.executeOutcome(never);
    await clock.advance(50);
    expect(await after).toMatchObject({ error: { timeoutMs: 50 } });
    expect(pipeline.snapshot().totals.timeouts).toBe(1);
    await clock.advance(50);
    expect(await before).toMatchObject({ error: { timeoutMs: 100 } });
  });
});

describe('attemptsMax', () => {
  it('a pipeline without retries makes one attempt', () => {
    expect([attemptsMax({}), attemptsMax({ retry: {} }), attemptsMax({ retry: { attemptsMax: 7 } })]).toEqual([1, 3, 7]);
  });
});
