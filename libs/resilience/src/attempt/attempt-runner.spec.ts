import { describe, expect, it } from 'vitest';
import { BulkheadWaitExceededError, DeadlineExceededError, PipelineClosedError } from '../errors/errors.ts';
import { failing, never, setUp, times } from '../testing/set-up.ts';
import { VirtualClock, settled } from '../testing/virtual-clock.ts';
import type { BreakerSpec } from '../settings/pipeline-spec.ts';

const bulkhead = { concurrencyMax: 1, queueMax: 1, queueWaitMsMax: 50 } as const;

/** Queues a call behind a running one, gives it a permit, and runs `happening` before the call can continue. */
async function admittedJustBefore(
  happening: (trial: ReturnType<typeof waiting>) => void,
  policies: { readonly breaker?: BreakerSpec } = { breaker: {} },
) {
  const trial = waiting(policies);
  await settled();
  trial.pipeline.update({ bulkhead: { concurrencyMax: 2 } });
  happening(trial);
  return { ...trial, outcome: await trial.outcome };
}

/** A clock whose time can advance between two steps of one call. */
class LeapingClock extends VirtualClock {
  leapMs = 0;

  override monotonic(): number {
    return super.monotonic() + this.leapMs;
  }
}

function waiting(policies: { readonly breaker?: BreakerSpec }) {
  const leaping = new LeapingClock();
  const trial = setUp({ name: 's3', timeout: { attemptMs: 100, totalMs: 100 }, bulkhead, ...policies }, { clock: leaping });
  const running = Promise.withResolvers<number>();
  void trial.pipeline.executeOutcome(() => running.promise);
  const controller = new AbortController();
  let begun = false;
  const outcome = trial.pipeline.executeOutcome(() => (begun = true), { signal: controller.signal });
  return { ...trial, leaping, running, controller, outcome, begun: () => begun };
}

describe('a call that has just got its permit', () => {
  it('a call whose caller aborts as it gets its permit does not start and returns the permit', async () => {
    const { outcome, begun, pipeline, told } = await admittedJustBefore(({ controller }) => controller.abort('enough'));
    expect(outcome).toEqual({ result: 'aborted', error: 'enough', attempts: 0 });
    expect(begun()).toBe(false);
    expect(told('AttemptFinished')).toMatchObject([{ result: 'aborted', error: 'enough' }]);
    expect(told('CallRejected')).toEqual([]);
    expect(await pipeline.execute(() => 1)).toBe(1);
    expect(pipeline.snapshot()).toMatchObject({ inFlight: 1, bulkhead: { queued: 0 } });
  });

  it('a call whose caller aborts as it gets its permit does not start without a breaker either', async () => {
    expect(await admittedJustBefore(({ controller }) => controller.abort('enough'), {})).toMatchObject({
      outcome: { result: 'aborted', error: 'enough' },
    });
  });

  it('a call whose deadline passes as it gets its permit does not start', async () => {
    const { outcome, begun } = await admittedJustBefore(({ leaping }) => void (leaping.leapMs = 100));
    expect(outcome).toEqual({ result: 'rejected', error: new DeadlineExceededError('s3'), attempts: 0 });
    expect(begun()).toBe(false);
  });

  it('a call does not start when the pipeline is closed as it gets its permit', async () => {
    const { outcome, begun, pipeline, running } = await admittedJustBefore((trial) => trial.pipeline.close());
    expect(outcome).toEqual({ result: 'rejected', error: new PipelineClosedError('s3'), attempts: 0 });
    expect(begun()).toBe(false);
    running.resolve(1);
    await pipeline.drain();
    expect(pipeline.snapshot()).toMatchObject({ inFlight: 0 });
  });

  it('a call starts after it got its permit', async () => {
    const { outcome, begun } = await admittedJustBefore(() => undefined);
    expect(outcome).toMatchObject({ result: 'succeeded', value: true });
    expect(begun()).toBe(true);
  });
});

/** One call hangs with the only permit, and the circuit is ready for a probe. */
async function halfOpen() {
  const trial = setUp({ name: 's3', breaker: { minimumCalls: 1, breakDurationMs: 10, breakDurationJitter: 0, probes: 1 }, bulkhead });
  const hung = Promise.withResolvers<number>();
  void trial.pipeline.executeOutcome(() => hung.promise);
  trial.pipeline.update({ bulkhead: { concurrencyMax: 2 } });
  await times(1, () => trial.pipeline.execute(failing));
  trial.pipeline.update({ bulkhead: { concurrencyMax: 1 } });
  await trial.clock.advance(10);
  return { ...trial, hung };
}

describe('a probe that waits for a permit', () => {
  it('a waiting probe keeps its ticket', async () => {
    const { pipeline, hung } = await halfOpen();
    const gate = Promise.withResolvers<number>();
    const probe = pipeline.executeOutcome(() => gate.promise);
    pipeline.update({ bulkhead: { concurrencyMax: 3 } });
    await settled();
    expect(await pipeline.executeOutcome(() => 2)).toMatchObject({ result: 'rejected', error: { code: 'circuit-open' } });
    gate.resolve(1);
    hung.resolve(1);
    expect(await probe).toMatchObject({ result: 'succeeded' });
    expect(pipeline.snapshot().breaker).toMatchObject({ state: 'closed' });
  });

  it('a probe that waits too long returns its ticket', async () => {
    const { pipeline, clock, hung } = await halfOpen();
    const probe = pipeline.executeOutcome(() => 1);
    await clock.advance(50);
    expect(await probe).toEqual({ result: 'rejected', error: new BulkheadWaitExceededError('s3'), attempts: 0 });
    hung.resolve(1);
    await settled();
    expect(await pipeline.execute(() => 2)).toBe(2);
    expect(pipeline.snapshot().breaker).toMatchObject({ state: 'closed' });
  });

  it('a probe whose caller aborts as it gets its permit returns its ticket', async () => {
    const { pipeline } = await halfOpen();
    const controller = new AbortController();
    const probe = pipeline.executeOutcome(() => 1, { signal: controller.signal });
    await settled();
    pipeline.update({ bulkhead: { concurrencyMax: 2 } });
    controller.abort('enough');
    expect(await probe).toMatchObject({ result: 'aborted' });
    expect(await pipeline.execute(() => 2)).toBe(2);
    expect(pipeline.snapshot().breaker).toMatchObject({ state: 'closed' });
  });
});

describe('the wait for a permit', () => {
  it('a wait that reaches its maximum and the deadline together fails with bulkhead-wait-exceeded', async () => {
    const { pipeline, clock } = setUp({ name: 's3', bulkhead });
    void pipeline.executeOutcome(never);
    const outcome = pipeline.executeOutcome(() => 1, { deadline: clock.now() + 50 });
    await clock.advance(50);
    expect(await outcome).toMatchObject({ error: { code: 'bulkhead-wait-exceeded' } });
  });
});
