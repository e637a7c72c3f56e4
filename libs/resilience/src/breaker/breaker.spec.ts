import { describe, expect, it } from 'vitest';
import { AttemptTimeoutError, CircuitOpenError } from '../errors/errors.ts';
import { down, failing, never, setUp, times } from '../testing/set-up.ts';

const breaker = {
  windowMs: 1000,
  buckets: 10,
  minimumCalls: 4,
  failureRatio: 0.5,
  breakDurationMs: 100,
  breakDurationMsMax: 350,
  breakDurationJitter: 0,
  probes: 2,
  slowCallMs: 50,
  slowCallRatio: 0.75,
} as const;
const spec = { name: 's3', timeout: { attemptMs: 200 }, breaker } as const;

const state = (trial: { readonly pipeline: { snapshot(): { readonly breaker?: { readonly state: string } } } }): string | undefined =>
  trial.pipeline.snapshot().breaker?.state;

describe('a closed circuit', () => {
  it('a circuit opens at its failure ratio, but not below the minimum number of calls', async () => {
    const trial = setUp(spec);
    const { pipeline } = trial;
    await times(3, () => pipeline.execute(failing));
    expect(state(trial)).toBe('closed');
    await times(1, () => pipeline.execute(failing));
    expect(state(trial)).toBe('open');
    expect(trial.told('CircuitOpened')).toMatchObject([
      { reason: 'failures', breakDurationMs: 100, failureRatio: 1, slowCallRatio: 0, calls: 4 },
    ]);
  });

  it('a circuit stays closed below its failure ratio', async () => {
    const trial = setUp(spec);
    for (let i = 0; i < 10; i += 1) {
      await times(3, () => trial.pipeline.execute(() => 1));
      await times(2, () => trial.pipeline.execute(failing));
    }
    expect(state(trial)).toBe('closed');
    expect(trial.pipeline.snapshot().breaker).toMatchObject({ calls: 50, failures: 20, failureRatio: 0.4, slowCalls: 0, mode: 'auto' });
  });

  it('a circuit forgets calls that are older than its window', async () => {
    const trial = setUp(spec);
    await times(3, () => trial.pipeline.execute(failing));
    await trial.clock.advance(1000);
    await times(3, () => trial.pipeline.execute(failing));
    expect(state(trial)).toBe('closed');
    expect(trial.pipeline.snapshot().breaker).toMatchObject({ calls: 3 });
  });

  it('a circuit opens at its ratio of slow calls, even if they succeed', async () => {
    const trial = setUp(spec);
    const slow = Array.from({ length: 3 }, () =>
      trial.pipeline.execute(async () => await new Promise((resolve) => trial.clock.setTimeout(() => resolve(1), 51))),
    );
    await times(1, () => trial.pipeline.execute(() => 1));
    await trial.clock.advance(51);
    await Promise.all(slow);
    expect(trial.told('CircuitOpened')).toMatchObject([{ reason: 'slowness', slowCallRatio: 0.75, failureRatio: 0 }]);
  });

  it('a timeout counts as a failure', async () => {
    const trial = setUp(spec);
    const calls = Array.from({ length: 4 }, () => trial.pipeline.executeOutcome(never));
    await trial.clock.advance(200);
    expect((await Promise.all(calls)).map((outcome) => 'error' in outcome && outcome.error)).toEqual(
      Array.from({ length: 4 }, () => new AttemptTimeoutError('s3', 200)),
    );
    expect(state(trial)).toBe('open');
  });

  it('a timeout counts as a failure even if slowCallMs exceeds the timeout', async () => {
    const trial = setUp({ ...spec, breaker: { ...breaker, slowCallMs: 1000 } });
    const calls = Array.from({ length: 4 }, () => trial.pipeline.executeOutcome(never));
    await trial.clock.advance(200);
    await Promise.all(calls);
    expect(trial.told('CircuitOpened')).toMatchObject([{ reason: 'failures', failureRatio: 1, slowCallRatio: 0 }]);
  });

  it('an abort whose reason is a timeout of the caller counts as an abort', async () => {
    const { pipeline, clock } = setUp(spec);
    const controller = new AbortController();
    const calls = Array.from({ length: 4 }, () => pipeline.executeOutcome(never, { signal: controller.signal }));
    await clock.advance(100);
    controller.abort(new AttemptTimeoutError('outer', 100));
    expect((await Promise.all(calls)).map(({ result }) => result)).toEqual(Array.from({ length: 4 }, () => 'aborted'));
    expect(pipeline.snapshot()).toMatchObject({ breaker: { state: 'closed', calls: 0 }, totals: { timeouts: 0 } });
  });

  it('aborts, invalid requests and rejections by nested pipelines do not count', async () => {
    const trial = setUp({
      ...spec,
      classify: (error) => (error === down ? 'invalid' : error instanceof CircuitOpenError ? 'rejected' : 'transient'),
    });
    const controller = new AbortController();
    const aborted = Array.from({ length: 5 }, () => trial.pipeline.executeOutcome(never, { signal: controller.signal }));
    controller.abort();
    await Promise.all(aborted);
    await times(5, () => trial.pipeline.execute(failing));
    await times(5, () => trial.pipeline.execute(() => Promise.reject(new CircuitOpenError('inner'))));
    expect(trial.pipeline.snapshot().breaker).toMatchObject({ state: 'closed', calls: 0 });
  });

  it("work that the caller's deadline ends counts as slow if it was slow, and otherwise not", async () => {
    const trial = setUp(spec);
    const { pipeline, clock } = trial;
    const hasty = pipeline.executeOutcome(never, { deadline: clock.now() + 50 });
    const patient = pipeline.executeOutcome(never, { deadline: clock.now() + 51 });
    await clock.advance(51);
    expect(await hasty).toMatchObject({ result: 'failed', error: new AttemptTimeoutError('s3', 50) });
    expect(await patient).toMatchObject({ result: 'failed', error: new AttemptTimeoutError('s3', 51) });
    expect(pipeline.snapshot().breaker).toMatchObject({ calls: 1, failures: 0, slowCalls: 1 });
  });
});

it('an error for which classify throws is transient, and the call ends', async () => {
  const { pipeline } = setUp({
    ...spec,
    bulkhead: { concurrencyMax: 1 },
    classify: () => {
      throw new TypeError('no such field');
    },
  });
  expect(await pipeline.executeOutcome(failing)).toMatchObject({ result: 'failed', error: down });
  expect(await pipeline.execute(() => 1)).toBe(1);
  expect(pipeline.snapshot().breaker).toMatchObject({ calls: 2, failures: 1 });
});

it.each([{}, { fallbacks: [{ kind: 'stub', value: () => 1, when: () => false }] }] as const)(
  'a rejection by a nested pipeline is a failure of the outer call',
  async (more) => {
    const { pipeline } = setUp({ name: 's3', ...more });
    const refusal = new CircuitOpenError('inner');
    expect(await pipeline.executeOutcome(() => Promise.reject(refusal))).toMatchObject({ result: 'failed', error: refusal });
    expect(pipeline.snapshot().totals).toMatchObject({ results: { failed: 1, rejected: 0 } });
  },
);

it('a failure counts even if its caller had little time', async () => {
  const { pipeline, clock } = setUp(spec);
  await pipeline.executeOutcome(failing, { deadline: clock.now() + 20 });
  expect(pipeline.snapshot().breaker).toMatchObject({ calls: 1, failures: 1, slowCalls: 0 });
});

it('an attempt that takes the whole time of its call counts as a timeout', async () => {
  const { pipeline, clock } = setUp({ ...spec, timeout: { attemptMs: 200, totalMs: 200 } });
  const outcome = pipeline.executeOutcome(never);
  await clock.advance(200);
  await outcome;
  expect(pipeline.snapshot().breaker).toMatchObject({ calls: 1, failures: 1, slowCalls: 1 });
});

it.each([
  { waitMs: 150, counted: { calls: 2, failures: 1 } },
  { waitMs: 190, counted: { calls: 1, failures: 0 } },
])(
  'an attempt that the total timeout ends counts as a timeout if it was slow, and otherwise not ($waitMs ms of 230)',
  async ({ waitMs, counted }) => {
    const { pipeline, clock } = setUp({
      ...spec,
      timeout: { attemptMs: 200, totalMs: 230 },
      bulkhead: { concurrencyMax: 1, queueMax: 1, queueWaitMsMax: 220 },
    });
    const first = Promise.withResolvers<number>();
    void pipeline.execute(() => first.promise);
    const second = pipeline.executeOutcome(never);
    await clock.advance(waitMs);
    first.resolve(1);
    await clock.advance(230 - waitMs);
    expect(await second).toMatchObject({ result: 'failed', error: { name: 'AttemptTimeoutError' } });
    expect(pipeline.snapshot().breaker).toMatchObject(counted);
  },
);

async function opened() {
  const trial = setUp({ ...spec, bulkhead: { concurrencyMax: 3 } });
  await times(4, () => trial.pipeline.execute(failing));
  return trial;
}

describe('an open circuit', () => {
  it('an open circuit rejects at once and says for how long', async () => {
    const { pipeline, clock, told } = await opened();
    await clock.advance(30);
    let asked = false;
    const outcome = await pipeline.executeOutcome(() => (asked = true));
    expect(outcome).toMatchObject({
      result: 'rejected',
      error: { code: 'circuit-open', retryable: true, retryAfterMs: 70, pipeline: 's3' },
      attempts: 0,
    });
    expect(asked).toBe(false);
    expect(told('CallRejected')).toMatchObject([{ code: 'circuit-open', retryAfterMs: 70 }]);
    expect(pipeline.snapshot().breaker).toMatchObject({ retryAfterMs: 70, sinceMs: 1_000_000 });
  });

  it('an open circuit probes after its break duration and closes when all probes succeed', async () => {
    const trial = await opened();
    await trial.clock.advance(99);
    await expect(trial.pipeline.execute(() => 1)).rejects.toBeInstanceOf(CircuitOpenError);
    await trial.clock.advance(1);
    expect(await trial.pipeline.execute(() => 1)).toBe(1);
    expect(state(trial)).toBe('half-open');
    expect(await trial.pipeline.execute(() => 2)).toBe(2);
    expect(state(trial)).toBe('closed');
    expect(trial.events.map(({ type }) => type).filter((type) => type.startsWith('Circuit'))).toEqual([
      'CircuitOpened',
      'CircuitHalfOpened',
      'CircuitClosed',
    ]);
    expect(trial.pipeline.snapshot().breaker).toMatchObject({ calls: 0 });
    await times(3, () => trial.pipeline.execute(failing));
    expect(state(trial)).toBe('closed');
  });

  it('a half-open circuit admits its probes and rejects other calls', async () => {
    const { pipeline, clock } = await opened();
    await clock.advance(100);
    let begun = 0;
    const gate = Promise.withResolvers<void>();
    const calls = Array.from({ length: 5 }, () =>
      pipeline.executeOutcome(() => {
        begun += 1;
        return gate.promise;
      }),
    );
    gate.resolve();
    expect((await Promise.all(calls)).map(({ result }) => result)).toEqual(['succeeded', 'succeeded', 'rejected', 'rejected', 'rejected']);
    expect(begun).toBe(2);
  });

  it('the break duration grows with each failed recovery up to its maximum', async () => {
    const { pipeline, clock, told } = await opened();
    for (const breakDurationMs of [100, 200, 350, 350]) {
      expect(told('CircuitOpened').at(-1)).toMatchObject({ breakDurationMs });
      await clock.advance(breakDurationMs);
      await times(1, () => pipeline.execute(failing));
    }
    expect(told('CircuitOpened').map(({ reason }) => reason)).toEqual([
      'failures',
      'probe-failed',
      'probe-failed',
      'probe-failed',
      'probe-failed',
    ]);
  });

  it('a circuit closes when the ratio of slow probes is below its limit', async () => {
    const trial = await opened();
    await trial.clock.advance(100);
    const slow = trial.pipeline.execute(async () => await new Promise((resolve) => trial.clock.setTimeout(() => resolve(1), 51)));
    await trial.pipeline.execute(() => 1);
    await trial.clock.advance(51);
    await slow;
    expect(state(trial)).toBe('closed');
  });

  it('the snapshot shows the start of the state and the time until it probes', async () => {
    const trial = setUp({ ...spec, breaker: { ...breaker, breakDurationJitter: 0.001 } });
    await trial.clock.advance(7);
    await times(4, () => trial.pipeline.execute(failing));
    expect(trial.pipeline.snapshot().breaker).toMatchObject({ state: 'open', sinceMs: 1_000_007, retryAfterMs: 100 });
    await trial.clock.advance(99);
    expect(trial.pipeline.snapshot().breaker).toMatchObject({ state: 'open', retryAfterMs: 1 });
    // Even without a call, the circuit is no longer open.
    await trial.clock.advance(201);
    expect(trial.pipeline.snapshot().breaker).toMatchObject({ state: 'half-open', sinceMs: 1_000_007, retryAfterMs: 0 });
    await trial.pipeline.execute(() => 1);
    const { breaker: probing } = trial.pipeline.snapshot();
    expect(probing).toMatchObject({ state: 'half-open', sinceMs: 1_000_307 });
    expect(probing).not.toHaveProperty('retryAfterMs');
  });

  it('a half-open circuit opens again when its probes are slow', async () => {
    const trial = await opened();
    await trial.clock.advance(100);
    const probes = Array.from({ length: 2 }, () =>
      trial.pipeline.execute(async () => await new Promise((resolve) => trial.clock.setTimeout(() => resolve(1), 51))),
    );
    await trial.clock.advance(51);
    await Promise.all(probes);
    expect(state(trial)).toBe('open');
    expect(trial.told('CircuitOpened').at(-1)).toMatchObject({ reason: 'probe-failed', breakDurationMs: 200, calls: 4 });
  });

  it('a half-open circuit opens again when the ratio of slow probes reaches its limit', async () => {
    const trial = setUp({ ...spec, breaker: { ...breaker, slowCallRatio: 0.5 } });
    await times(4, () => trial.pipeline.execute(failing));
    await trial.clock.advance(100);
    const slow = trial.pipeline.execute(async () => await new Promise((resolve) => trial.clock.setTimeout(() => resolve(1), 51)));
    await trial.pipeline.execute(() => 1);
    await trial.clock.advance(51);
    await slow;
    expect(state(trial)).toBe('open');
  });

  it('a recovered circuit starts again with the shortest break duration', async () => {
    const { pipeline, clock, told } = await opened();
    await clock.advance(100);
    await times(1, () => pipeline.execute(failing));
    await clock.advance(200);
    await times(2, () => pipeline.execute(() => 1));
    await times(4, () => pipeline.execute(failing));
    expect(told('CircuitOpened').at(-1)).toMatchObject({ breakDurationMs: 100 });
  });

  it('a probe frees its permit when its caller aborts', async () => {
    const { pipeline, clock } = await opened();
    await clock.advance(100);
    const probes = Array.from({ length: 2 }, () =>
      pipeline.executeOutcome(({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(down))), {
        deadline: clock.now() + 5,
      }),
    );
    await clock.advance(5);
    await Promise.all(probes);
    expect(await pipeline.execute(() => 1)).toBe(1);
    expect(pipeline.snapshot().breaker).toMatchObject({ state: 'half-open' });
  });

  it("a half-open circuit opens again when the callers' deadlines end slow probes", async () => {
    const trial = await opened();
    const { pipeline, clock } = trial;
    await clock.advance(100);
    expect(await pipeline.execute(() => 1)).toBe(1);
    const probe = pipeline.executeOutcome(never, { deadline: clock.now() + 60 });
    await clock.advance(60);
    expect(await probe).toMatchObject({ result: 'failed' });
    expect(state(trial)).toBe('open');
    expect(trial.told('CircuitOpened').at(-1)).toMatchObject({ reason: 'probe-failed' });
  });

  it('a half-open circuit closes when a change reduces its probes to those that succeeded', async () => {
    const trial = await opened();
    const { pipeline, clock } = trial;
    await clock.advance(100);
    expect(await pipeline.execute(() => 1)).toBe(1);
    pipeline.update({ breaker: { breakDurationMs: 90 } });
    expect(state(trial)).toBe('half-open');
    pipeline.update({ breaker: { probes: 1 } });
    expect(state(trial)).toBe('closed');
    expect(await pipeline.execute(() => 2)).toBe(2);
  });

  it('a probe with an invalid request frees its permit', async () => {
    const { pipeline, clock } = await opened();
    await clock.advance(100);
    const controller = new AbortController();
    const probes = Array.from({ length: 2 }, () =>
      pipeline.executeOutcome(({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(down))), {
        signal: controller.signal,
      }),
    );
    controller.abort();
    await Promise.all(probes);
    expect(await pipeline.execute(() => 1)).toBe(1);
    expect(await pipeline.execute(() => 1)).toBe(1);
    expect(pipeline.snapshot().breaker).toMatchObject({ state: 'closed' });
  });

  it('a call from before the opening frees no permit of a probe when it is aborted', async () => {
    const { pipeline, clock } = setUp(spec);
    const controller = new AbortController();
    const old = Array.from({ length: 2 }, () => pipeline.executeOutcome(never, { signal: controller.signal }));
    await times(4, () => pipeline.execute(failing));
    await clock.advance(100);
    const probes = Array.from({ length: 2 }, () => pipeline.executeOutcome(never));
    controller.abort();
    await Promise.all(old);
    expect(await pipeline.executeOutcome(() => 1)).toMatchObject({ result: 'rejected' });
    await clock.advance(200);
    expect((await Promise.all(probes)).map(({ result }) => result)).toEqual(['failed', 'failed']);
  });

  it('results of calls from before the opening do not count', async () => {
    const { pipeline, clock } = setUp(spec);
    const good = Promise.withResolvers<number>();
    const bad = Promise.withResolvers<never>();
    const old = [pipeline.executeOutcome(() => good.promise), pipeline.executeOutcome(() => bad.promise)];
    await times(4, () => pipeline.execute(failing));
    await clock.advance(100);
    await times(1, () => pipeline.execute(() => 1));
    good.resolve(1);
    bad.reject(down);
    await Promise.all(old);
    expect(pipeline.snapshot().breaker).toMatchObject({ state: 'half-open' });
  });

  it('the last part of the break duration is random', async () => {
    const trial = setUp({ name: 's3', breaker: { ...breaker, breakDurationJitter: 0.2 } }, { random: () => 0.5 });
    await times(4, () => trial.pipeline.execute(failing));
    expect(trial.told('CircuitOpened')).toMatchObject([{ breakDurationMs: 90 }]);
  });

  it('a circuit does not stay open longer when the time of day steps back', async () => {
    const { pipeline, clock } = await opened();
    clock.stepTimeOfDay(-3_600_000);
    await clock.advance(100);
    expect(await pipeline.execute(() => 1)).toBe(1);
  });
});

async function ramping(random: () => number) {
  const trial = setUp({ name: 's3', breaker: { ...breaker, probes: 1, rampMs: 1000 } }, { random });
  await times(4, () => trial.pipeline.execute(failing));
  await trial.clock.advance(100);
  await trial.pipeline.execute(() => 1);
  return trial;
}

describe('a circuit that ramps up', () => {
  it('a ramping circuit raises the ratio of admitted calls from 0.1 to 1', async () => {
    let drawn = 0.09;
    const { pipeline, clock } = await ramping(() => drawn);
    expect(pipeline.snapshot().breaker).toMatchObject({ state: 'ramping' });
    expect(await pipeline.execute(() => 1)).toBe(1);
    drawn = 0.1;
    await expect(pipeline.execute(() => 1)).rejects.toBeInstanceOf(CircuitOpenError);
    await clock.advance(500);
    drawn = 0.54;
    expect(await pipeline.execute(() => 1)).toBe(1);
    drawn = 0.55;
    await expect(pipeline.execute(() => 1)).rejects.toBeInstanceOf(CircuitOpenError);
    await clock.advance(500);
    drawn = 0.99;
    expect(await pipeline.execute(() => 1)).toBe(1);
    expect(pipeline.snapshot().breaker).toMatchObject({ state: 'closed' });
  });

  it('a circuit that fails during its ramp opens for a longer time', async () => {
    const { pipeline, told } = await ramping(() => 0);
    await times(4, () => pipeline.execute(failing));
    expect(told('CircuitOpened').at(-1)).toMatchObject({ reason: 'failures', breakDurationMs: 200 });
  });
});

describe('a circuit that has ramped up', () => {
  it('a circuit that fails after its ramp opens for the shortest time', async () => {
    const { pipeline, clock, told } = await ramping(() => 0);
    await clock.advance(1000);
    await times(4, () => pipeline.execute(failing));
    expect(told('CircuitOpened').at(-1)).toMatchObject({ reason: 'failures', breakDurationMs: 100 });
  });

  it('CircuitClosed carries the length of the ramp', async () => {
    const { told } = await ramping(() => 0);
    expect(told('CircuitHalfOpened')).toMatchObject([{ probes: 1 }]);
    expect(told('CircuitClosed')).toMatchObject([{ reason: 'probed', rampMs: 1000 }]);
  });
});

describe('an operator', () => {
  it('a circuit that an operator opens does not probe', async () => {
    const trial = setUp(spec);
    trial.pipeline.forceOpen();
    await trial.clock.advance(100_000);
    expect(await trial.pipeline.executeOutcome(() => 1)).toMatchObject({
      result: 'rejected',
      error: { code: 'circuit-open', retryAfterMs: undefined },
    });
    expect(trial.pipeline.snapshot().breaker).toMatchObject({ mode: 'forced-open', state: 'open' });
    expect(trial.events.slice(0, 2)).toMatchObject([
      { type: 'CircuitModeChanged', mode: 'forced-open', state: 'open' },
      { type: 'CircuitOpened', reason: 'forced' },
    ]);
  });

  it('a circuit that an operator keeps closed still counts', async () => {
    const trial = await opened();
    trial.pipeline.forceClosed();
    await times(10, () => trial.pipeline.execute(failing));
    expect(await trial.pipeline.execute(() => 1)).toBe(1);
    expect(trial.pipeline.snapshot().breaker).toMatchObject({ mode: 'forced-closed', state: 'closed', calls: 11, failures: 10 });
    expect(trial.told('CircuitClosed')).toMatchObject([{ reason: 'forced' }]);
  });

  it('a disabled breaker counts nothing', async () => {
    const trial = await opened();
    trial.pipeline.disable();
    await times(10, () => trial.pipeline.execute(failing));
    expect(trial.pipeline.snapshot().breaker).toMatchObject({ mode: 'disabled', state: 'closed', calls: 0 });
  });

  it("an operator's change emits CircuitOpened and CircuitClosed only if the circuit changes", async () => {
    const trial = setUp(spec);
    await times(1, () => trial.pipeline.execute(() => 1));
    await times(1, () => trial.pipeline.execute(failing));
    trial.pipeline.forceOpen();
    trial.pipeline.forceOpen();
    trial.pipeline.auto();
    trial.pipeline.disable();
    const circuit = trial.events
      .filter(({ type }) => type.startsWith('Circuit'))
      .map(({ pipeline: _pipeline, atMs: _atMs, ...event }) => event);
    expect(circuit).toEqual([
      { type: 'CircuitModeChanged', mode: 'forced-open', state: 'open' },
      { type: 'CircuitOpened', reason: 'forced', calls: 2, failureRatio: 0.5, slowCallRatio: 0 },
      { type: 'CircuitModeChanged', mode: 'forced-open', state: 'open' },
      { type: 'CircuitModeChanged', mode: 'auto', state: 'closed' },
      { type: 'CircuitClosed', reason: 'forced', rampMs: 0 },
      { type: 'CircuitModeChanged', mode: 'disabled', state: 'closed' },
    ]);
    expect(await trial.pipeline.execute(() => 1)).toBe(1);
  });

  it('an operator can set the mode before any call', async () => {
    const closed = setUp(spec);
    closed.pipeline.forceClosed();
    expect(await closed.pipeline.execute(() => 1)).toBe(1);
    const trial = setUp(spec);
    trial.pipeline.forceOpen();
    expect(trial.told('CircuitOpened')).toMatchObject([{ reason: 'forced', calls: 0, failureRatio: 0, slowCallRatio: 0 }]);
    expect(trial.pipeline.snapshot().breaker).not.toHaveProperty('retryAfterMs');
  });

  it('a change of other settings keeps the window', async () => {
    const trial = setUp(spec);
    await times(3, () => trial.pipeline.execute(failing));
    trial.pipeline.update({ breaker: { windowMs: 1000, buckets: 10, breakDurationMs: 50 } });
    expect(trial.pipeline.snapshot().breaker).toMatchObject({ calls: 3 });
    trial.pipeline.update({ breaker: { buckets: 5 } });
    expect(trial.pipeline.snapshot().breaker).toMatchObject({ calls: 0 });
  });

  it('a breaker that gets control back starts with an empty window', async () => {
    const trial = setUp(spec);
    trial.pipeline.forceClosed();
    await times(10, () => trial.pipeline.execute(failing));
    trial.pipeline.auto();
    expect(trial.pipeline.snapshot().breaker).toMatchObject({ mode: 'auto', state: 'closed', calls: 0 });
    await times(4, () => trial.pipeline.execute(failing));
    expect(state(trial)).toBe('open');
    expect(trial.told('CircuitClosed')).toEqual([]);
  });

  it('an operator cannot set the mode of a pipeline without a breaker', () => {
    const { pipeline } = setUp({ name: 's3' });
    for (const act of ['forceOpen', 'forceClosed', 'disable', 'auto'] as const)
      expect(() => pipeline[act]()).toThrow('has no circuit breaker');
  });

  it('a change of the limits keeps the state of the circuit', async () => {
    const trial = setUp(spec);
    await times(3, () => trial.pipeline.execute(failing));
    trial.pipeline.update({ breaker: { minimumCalls: 5 } });
    await times(1, () => trial.pipeline.execute(failing));
    expect(state(trial)).toBe('closed');
    await times(1, () => trial.pipeline.execute(failing));
    expect(state(trial)).toBe('open');
    trial.pipeline.auto();
    await times(3, () => trial.pipeline.execute(failing));
    trial.pipeline.update({ breaker: { windowMs: 2000 } });
    expect(trial.pipeline.snapshot().breaker).toMatchObject({ calls: 0 });
  });
});
