import { describe, expect, it } from 'vitest';
import { createPipeline } from '../pipeline/create-pipeline.ts';
import { computeLoad, computeShedLevel } from './load-shedder.ts';
import { type Priority, priorities } from './load-source.ts';
import { setUp } from '../testing/set-up.ts';

const shed = {
  eventLoopDelayMsFrom: 100,
  eventLoopDelayMsFull: 500,
  heapUsedRatioFrom: 0.8,
  heapUsedRatioFull: 1,
  holdMs: 1000,
  retryAfterMs: 700,
} as const;

function onLoad() {
  const load = { delayMs: 0, heap: 0 };
  const trial = setUp({ name: 'ingest', shed }, { load: { eventLoopDelayMs: () => load.delayMs, heapUsedRatio: () => load.heap } });
  const accepted = async (): Promise<readonly Priority[]> => {
    const results = await Promise.all(
      priorities.map(async (priority) =>
        (await trial.pipeline.executeOutcome(() => 1, { priority })).result === 'succeeded' ? priority : undefined,
      ),
    );
    return results.filter((priority) => priority !== undefined);
  };
  return { ...trial, load, accepted };
}

const of = (delayMs: number, heap: number): number => computeLoad({ eventLoopDelayMs: () => delayMs, heapUsedRatio: () => heap }, shed);

describe('the load', () => {
  it('the load is the worse of event loop and heap, each between From and Full', () => {
    expect([of(100, 0), of(300, 0), of(500, 0), of(900, 0), of(50, 0.8)]).toEqual([0, 0.5, 1, 1, 0]);
    expect(of(0, 0.9)).toBeCloseTo(0.5);
    expect(of(200, 0.95)).toBeCloseTo(0.75);
  });

  it('the load determines the shed level', () => {
    expect([0, 0.001, 0.499, 0.5, 0.899, 0.9, 1].map(computeShedLevel)).toEqual([0, 1, 1, 2, 2, 3, 3]);
  });
});

describe('a shedding pipeline', () => {
  it('the least important calls are shed first, and critical calls never', async () => {
    const { load, accepted, clock, told } = onLoad();
    expect(await accepted()).toEqual(['critical', 'high', 'normal', 'low']);
    const seen: (readonly Priority[])[] = [];
    for (const delayMs of [200, 300, 500]) {
      load.delayMs = delayMs;
      await clock.advance(50);
      seen.push(await accepted());
    }
    expect(seen).toEqual([['critical', 'high', 'normal'], ['critical', 'high'], ['critical']]);
    expect(told('ShedLevelChanged')).toMatchObject([
      { level: 1, load: 0.25 },
      { level: 2, load: 0.5 },
      { level: 3, load: 1 },
    ]);
  });

  it('a shed call gets a Retry-After, and a call without a priority is normal', async () => {
    const { pipeline, load } = onLoad();
    load.heap = 0.9;
    expect(await pipeline.executeOutcome(() => 1)).toMatchObject({
      result: 'rejected',
      error: { code: 'shed', retryAfterMs: 700, retryable: true },
    });
    expect(pipeline.snapshot()).toMatchObject({ shed: { level: 2 }, totals: { rejections: { shed: 1 }, attempts: 0 } });
  });

  it('the level falls only after the load has stayed lower for holdMs', async () => {
    const { load, accepted, clock } = onLoad();
    load.delayMs = 500;
    expect(await accepted()).toHaveLength(1);
    load.delayMs = 0;
    await clock.advance(50);
    expect(await accepted()).toHaveLength(1);
    await clock.advance(950);
    load.delayMs = 500;
    expect(await accepted()).toHaveLength(1);
    load.delayMs = 200;
    await clock.advance(50);
    expect(await accepted()).toHaveLength(1);
    await clock.advance(1000);
    expect(await accepted()).toHaveLength(3);
  });

  it('the level falls after holdMs regardless of the number of measurements', async () => {
    const { load, accepted, clock } = onLoad();
    load.delayMs = 500;
    expect(await accepted()).toHaveLength(1);
    load.delayMs = 0;
    for (let look = 0; look < 10; look += 1) {
      await clock.advance(100);
      expect(await accepted()).toHaveLength(1);
    }
    await clock.advance(100);
    expect(await accepted()).toHaveLength(4);
  });

  it('a level without measurements for holdMs is not held', async () => {
    const { load, accepted, clock } = onLoad();
    load.delayMs = 500;
    expect(await accepted()).toHaveLength(1);
    load.delayMs = 0;
    await clock.advance(1000);
    expect(await accepted()).toHaveLength(4);
  });

  it('the load is measured at most every 50 ms', async () => {
    const { load, accepted, clock } = onLoad();
    await accepted();
    load.delayMs = 500;
    await clock.advance(49);
    expect(await accepted()).toHaveLength(4);
    await clock.advance(1);
    expect(await accepted()).toHaveLength(1);
  });

  it('the snapshot shows the current load even without a call', () => {
    const { pipeline, load } = onLoad();
    load.heap = 0.9;
    expect(pipeline.snapshot().shed?.level).toBe(2);
  });

  it('the limits of shedding can be changed at run time', async () => {
    const { pipeline, load, accepted, clock } = onLoad();
    load.delayMs = 90;
    expect(await accepted()).toHaveLength(4);
    pipeline.update({ shed: { eventLoopDelayMsFrom: 10, eventLoopDelayMsFull: 90 } });
    await clock.advance(50);
    expect(await accepted()).toHaveLength(1);
  });

  it('a pipeline with shed needs a source of load', () => {
    expect(() => createPipeline({ name: 'ingest', shed })).toThrow('shed needs a source of load');
  });
});
